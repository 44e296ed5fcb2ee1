/** What a part of a profile has to look like. One table decides what is checked, merged and hidden. */
export type Shape =
  | {
      readonly kind: "text";
      /** Absent for any text; checked once it has no template. */
      readonly form?: RegExp;
      /** Completes "give …". */
      readonly wants: string;
      readonly secret?: boolean;
      /** A file that the text names, beside the profile: as it is, or one that nobody else may read. */
      readonly names?: "file" | "secret-file";
      /** Any bytes may be in that file; otherwise text. */
      readonly isBytes?: true;
      /** Never a template. */
      readonly literal?: boolean;
      /** Whether its template may use what hooks give: any text will do there, so that a plan can be made without it. */
      readonly takesHookValues?: boolean;
      /** The name of a secret that a hook gives. */
      readonly namesHookSecret?: boolean;
    }
  | { readonly kind: "integer"; readonly least: number; readonly most: number }
  | { readonly kind: "boolean" }
  | { readonly kind: "word"; readonly words: readonly string[] }
  | { readonly kind: "list"; readonly of: Shape; readonly most: number; readonly by?: "name" | "path" }
  /** Fields of free names. */
  | { readonly kind: "record"; readonly of: Shape; readonly key: RegExp; readonly wants: string; readonly most: number }
  | MapShape;

/** A map of named fields. */
export interface MapShape {
  readonly kind: "map";
  readonly fields: Readonly<Record<string, Shape>>;
  /** Of each group one field at most: a later profile's takes the place of an earlier one's. */
  readonly alternatives?: readonly (readonly string[])[];
  readonly required?: readonly string[];
}
