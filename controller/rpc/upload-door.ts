import type { Server, Socket } from "node:net";
import { loadLibc } from "../../proto/linux/libc.ts";
import { listenForOwner, prepareSocketPath } from "../../proto/linux/owner-socket.ts";
import { uploadSocketOf } from "../uploads/upload-socket.ts";
import type { Uploads } from "../uploads/uploads.ts";
import { shareSocket } from "./share-socket.ts";
import { descriptorOf, userOf } from "./socket-user.ts";

/** Where the upload socket is opened, and to whom. */
export interface UploadDoorOptions {
  /** Path of the controller's own socket. */
  readonly socket: string;
  readonly socketGroup?: string;
  readonly uploads: Pick<Uploads, "admit">;
  readonly log: { error(details: object, message: string): void };
}

/**
 * Opens the upload socket, to whom the controller's own lets in. Resolves with undefined, and says why, where that cannot
 * be: uploads then come as messages of their calls, which costs more and works as well.
 */
export async function openUploadDoor({
  socket,
  socketGroup,
  uploads,
  log,
}: UploadDoorOptions): Promise<Server | undefined> {
  const path = uploadSocketOf(socket);
  let server: Server | undefined;
  try {
    await prepareSocketPath(path, { program: "controller", setting: "socket (--socket)" });
    // Paused: whoever reads it decides into which memory.
    server = await listenForOwner(path, admit, { pauseOnConnect: true });
    if (socketGroup !== undefined) await shareSocket(path, socketGroup);
    return server;
  } catch (error) {
    server?.close();
    log.error({ err: error, path }, "cannot open the socket for uploads: images are added by slower ways");
    return undefined;
  }

  function admit(connection: Socket): void {
    connection.on("error", () => connection.destroy());
    try {
      const user = userOf(connection);
      uploads.admit(loadLibc().duplicate(descriptorOf(connection)), user);
    } catch (error) {
      log.error({ err: error }, "could not tell who connects to the upload socket; refused him");
    }
    // Read by its other descriptor alone.
    connection.destroy();
  }
}
