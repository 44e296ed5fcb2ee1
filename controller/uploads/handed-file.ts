/** A file that somebody has opened and handed over, until its upload is closed. */
export interface HandedFile {
  /** By which it can be opened again, by this process and by programs that it starts; has no "?" and no "@@". */
  readonly path: string;
  readonly sizeBytes: number;
  /** Throws Failure `invalid` where it was changed since it was handed over. */
  assertUnchanged(): Promise<void>;
}
