/** Bytes to send, of a length that is known beforehand. Read by position, so that nothing has to be kept in memory. */
export interface FileContent {
  readonly sizeBytes: number;
  /** Reads into `target` from a position. Returns how many bytes were read; fewer than fit only at the end. */
  read(target: Uint8Array, positionBytes: number): Promise<number>;
  /** Called once, when the transfer has ended. */
  close(end: ContentEnd): Promise<void>;
}

/** How the transfer of a file ended. */
export interface ContentEnd {
  /** See TransferOutcome of transition.ts. */
  readonly outcome: "served" | "unconfirmed" | "aborted";
  /** Bytes that the client has, as far as known. */
  readonly bytes: number;
  /** Milliseconds since the client was last heard; a vanished client is only given up much later. */
  readonly silentMs: number;
}

/** Who asks. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** The result of a request for a file. The message is sent to the client. */
export type OpenResult =
  | { readonly kind: "file"; readonly content: FileContent }
  | { readonly kind: "not-found" | "refused"; readonly message: string };

/**
 * The files that a server serves. `open` should not throw: a client then learns only that there is an internal error.
 */
export interface FileSource {
  open(path: string, peer: Peer): Promise<OpenResult>;
}
