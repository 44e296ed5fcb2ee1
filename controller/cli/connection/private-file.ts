import { open, rm } from "node:fs/promises";
import { Failure } from "../../../proto/failure.ts";

/** A new file for a secret, that only its owner may read. */
export interface PrivateFile {
  /** Writes it and closes it. */
  write(text: string): Promise<void>;
  /** Removes it again. */
  discard(): Promise<void>;
}

/** Makes one, empty. Rejects with a Failure when there is a file of that name already, or none can be made. */
export async function openPrivateFile(path: string): Promise<PrivateFile> {
  const handle = await open(path, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === "EEXIST" ? "there is such a file already" : error.message;
    throw new Failure("invalid", `cannot write ${path}: ${why}`, { cause: error });
  });
  return {
    async write(text) {
      try {
        // Whatever the umask says.
        await handle.chmod(0o600);
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
    async discard() {
      await handle.close();
      await rm(path, { force: true });
    },
  };
}
