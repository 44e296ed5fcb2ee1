import type { Server, Socket } from "node:net";
import { loadLibc } from "../../proto/linux/libc.ts";
import { listenForOwner, prepareSocketPath } from "../../proto/linux/owner-socket.ts";
import { descriptorOf } from "../uploads/descriptor-of.ts";
import { receiveFile } from "../uploads/receive-file.ts";
import { type ReceivedPieces, receivePieces } from "../uploads/receive-pieces.ts";
import { fileSocketOf, uploadSocketOf } from "../uploads/upload-socket.ts";
import type { Uploads } from "../uploads/uploads.ts";
import { shareSocket } from "./share-socket.ts";
import { userOf } from "./socket-user.ts";

/** Where the upload sockets are opened, and to whom. */
export interface UploadDoorOptions {
  /** Path of the controller's own socket. */
  readonly socket: string;
  readonly socketGroup?: string;
  readonly uploads: Pick<Uploads, "admit">;
  readonly log: { error(details: object, message: string): void };
}

/** The sockets on which files come, beside the controller's own. */
export interface UploadDoor {
  close(): void;
}

/**
 * Opens the sockets for bytes and for files themselves, to whom the controller's own lets in. Where one cannot be opened,
 * the log says why: uploads then come in another way, which costs more and works as well.
 */
export async function openUploadDoor(options: UploadDoorOptions): Promise<UploadDoor> {
  const servers = [
    await openSocket(uploadSocketOf(options.socket), options, (connection) => {
      const received = receivePieces(loadLibc().duplicate(descriptorOf(connection)));
      // Read by its other descriptor alone.
      connection.destroy();
      return received;
    }),
    await openSocket(fileSocketOf(options.socket), options, (connection) =>
      receiveFile(connection, descriptorOf(connection)),
    ),
  ];
  return {
    close() {
      for (const server of servers) server?.close();
    },
  };
}

async function openSocket(
  path: string,
  { socketGroup, uploads, log }: UploadDoorOptions,
  receive: (connection: Socket) => ReceivedPieces,
): Promise<Server | undefined> {
  let server: Server | undefined;
  try {
    await prepareSocketPath(path, { program: "controller", setting: "socket (--socket)" });
    // Paused: whoever reads it decides into which memory.
    server = await listenForOwner(path, admit, { pauseOnConnect: true });
    if (socketGroup !== undefined) await shareSocket(path, socketGroup);
    return server;
  } catch (error) {
    server?.close();
    log.error({ err: error, path }, "cannot open a socket for uploads: images are added by slower ways");
    return undefined;
  }

  function admit(connection: Socket): void {
    connection.on("error", () => connection.destroy());
    try {
      const user = userOf(connection);
      uploads.admit(receive(connection), user);
    } catch (error) {
      log.error({ err: error }, "could not tell who connects to a socket for uploads; refused him");
      connection.destroy();
    }
  }
}
