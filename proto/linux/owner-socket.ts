import { once } from "node:events";
import { chmod, lstat, mkdir, stat, unlink } from "node:fs/promises";
import { createConnection, createServer, type Server, type ServerOpts, type Socket } from "node:net";
import { dirname } from "node:path";
import process from "node:process";
import { Failure } from "../failure.ts";

/** Whose socket it is, for messages: "another controller is running", "choose another path with --socket". */
export interface SocketWords {
  readonly program: string;
  readonly setting: string;
}

/**
 * Makes way for a unix socket: its folder is made, and a socket whose process is gone is removed. Throws a Failure when
 * someone listens there, something else is there, or others could replace it.
 */
export async function prepareSocketPath(path: string, { program, setting }: SocketWords): Promise<void> {
  const made = await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  // The umask of a service is strict; who may connect is for the socket's own mode to say.
  if (made !== undefined) await chmod(dirname(path), 0o755);
  await assertOwnFolder(dirname(path), path, setting);
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new Failure(
      "invalid",
      `${path} exists and is not a socket; remove it, or choose another path with ${setting}`,
    );
  }
  if (await isListening(path)) {
    throw new Failure(
      "invalid",
      `another ${program} is running: it listens at ${path}; stop it, or choose another path with ${setting}`,
    );
  }
  await unlink(path);
}

/**
 * Listens at the path, for its owner alone from the first moment: who may connect may erase disks. Rejects with the
 * error of listen(2).
 */
export async function listenForOwner(
  path: string,
  connected: (connection: Socket) => void,
  options: ServerOpts = {},
): Promise<Server> {
  const server = createServer(options, connected);
  // The kernel makes the socket by the umask (unix(7)), within this call; a chmod would come later.
  const usual = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(usual);
  }
  await once(server, "listening");
  return server;
}

/** Throws a Failure when someone else could put another socket in place of this one. */
async function assertOwnFolder(folder: string, path: string, setting: string): Promise<void> {
  const { uid, mode } = await stat(folder);
  const isSticky = (mode & 0o1000) !== 0;
  const isOurs = uid === 0 || uid === process.getuid?.();
  if (isOurs && ((mode & 0o002) === 0 || isSticky)) return;
  throw new Failure(
    "invalid",
    `the folder of the socket ${path} ${isOurs ? "is writable by everyone" : `belongs to user ${uid}`}, who could put ` +
      `another socket there; choose a path in a folder of your own with ${setting}`,
  );
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
