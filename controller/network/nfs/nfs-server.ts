import type { SupervisorOptions } from "../supervise-process.ts";
import type { NfsExport } from "./render-exports.ts";

/** Something that exports a folder. */
export interface NfsServer {
  /** The remedy if it does not answer, as the end of a sentence. */
  readonly remedy: string;
  close(): Promise<void>;
}

export interface NfsServerOptions extends Omit<SupervisorOptions, "log"> {
  readonly nfsExport: NfsExport;
  /** Folder for its files; made when it does not exist. */
  readonly directory: string;
  readonly log: SupervisorOptions["log"] & { debug(details: object, message: string): void };
}

/** Starts one: by the kernel, or by nfs-ganesha. Throws a Failure that says what is missing. */
export type StartNfsServer = (options: NfsServerOptions) => Promise<NfsServer>;
