/** The texts of a system as they will be when the edits before this one are made; undefined when there is no file. */
export type PlannedText = (path: string) => string | undefined;

/**
 * One change of a root filesystem, as plain data but for the functions that amend what is there. Paths are absolute, and
 * as the system names them; whoever applies an edit follows no link on the way but those of `usualLinks`.
 */
export type Edit = {
  readonly path: string;
  /** What it does, in one line for people, without secrets: "sets the host name to pi-7". */
  readonly does: string;
} & (
  | ({
      readonly kind: "file";
      readonly content: string | Uint8Array;
      readonly mode?: number;
      /** The content is made when the edits are applied: this plan is for people. */
      readonly isUnknown?: true;
    } & Owned)
  | ({
      readonly kind: "folder";
      /** Absent: that of a folder that is there, or 0755. */
      readonly mode?: number;
      /** A folder of the image whose content is copied into it, if it is made anew. */
      readonly from?: string;
      /** Whether a link at the path gives way to it; otherwise one is refused. */
      readonly replacesLink?: boolean;
    } & Owned)
  | ({ readonly kind: "link"; readonly target: string } & Owned)
  /** A file or a link; what is not there is left so. */
  | { readonly kind: "remove" }
  /** All files of a folder whose names match; none if there is no folder. */
  | { readonly kind: "remove-matching"; readonly pattern: RegExp }
  | {
      readonly kind: "amend";
      /**
       * The new text; undefined leaves what is there, or that nothing is. Owner, group and mode of a file that is there stay.
       * Amending twice is the same as once. Throws a Failure "invalid" or "unsupported" for a text that cannot be amended.
       */
      readonly amend: (text: string | undefined, planned: PlannedText) => string | undefined;
      /** Of a file that is made: 0644 unless given. */
      readonly mode?: number;
      readonly group?: string;
    }
  /** Nothing is changed: there must be a file or folder at the path. */
  | { readonly kind: "require"; readonly otherwise: string }
);

/** Names of the new system, or numbers; absent: root, and the group of that user. */
export interface Owned {
  readonly owner?: string;
  readonly group?: string;
}

/** What an edit does that leaves alone what is not there. */
export function ifThere(does: string): string {
  return `${does}, if there is such a file`;
}
