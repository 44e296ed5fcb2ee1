import { chmod, lstat, mkdir, unlink } from "node:fs/promises";
import { createConnection } from "node:net";
import { dirname } from "node:path";
import { Failure } from "../../proto/failure.ts";

/**
 * Makes way for a unix socket: its folder is made, and a socket whose process is gone is removed. Throws a Failure when
 * somebody listens there or something else lies there.
 */
export async function prepareSocketPath(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new Failure(
      "invalid",
      `${path} exists and is no socket; remove it, or choose another path by socket (--socket)`,
    );
  }
  if (await isListening(path)) {
    throw new Failure(
      "invalid",
      `another controller is running: it listens at ${path}; stop it, or choose another path by socket (--socket)`,
    );
  }
  await unlink(path);
}

/** Leaves the socket to its owner alone: who may connect may erase disks. */
export async function restrictSocket(path: string): Promise<void> {
  await chmod(path, 0o600);
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const connection = createConnection(path);
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") resolve(false);
      else reject(error);
    });
  });
}
