import { connect } from "node:net";

/** Where the command line looks unless told otherwise. */
export const defaultSocket = "/run/pallet/controller.sock";

/** Whether someone listens on the unix socket. */
export function isServed(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", () => resolve(false));
  });
}
