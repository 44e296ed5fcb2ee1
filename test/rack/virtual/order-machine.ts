import { once } from "node:events";
import { createConnection } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";

/** Where the QEMU of the virtual Pi with that MAC address takes orders; `folder` is the rack's. */
export function monitorPath(folder: string, mac: string): string {
  return path.join(folder, `monitor-of-${mac.replaceAll(":", "")}`);
}

/** An order to a running QEMU (docs/interop/qemu-qmp-ref). */
export interface MachineOrder {
  readonly execute: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

/** Gives orders to a running QEMU, one after the other, at its QMP socket. Throws when one is refused. */
export async function orderMachine(socketPath: string, orders: readonly MachineOrder[]): Promise<void> {
  const socket = createConnection(socketPath);
  try {
    await once(socket, "connect");
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    for (const order of [{ execute: "qmp_capabilities" }, ...orders]) {
      socket.write(`${JSON.stringify(order)}\n`);
      const answer = await nextAnswer(lines);
      if (answer.error !== undefined) throw new Error(`QEMU refuses ${order.execute}: ${answer.error.desc}`);
    }
  } finally {
    socket.destroy();
  }
}

/** The next line that answers an order; between the answers QEMU greets and tells what happens. */
async function nextAnswer(lines: AsyncIterator<string>): Promise<{ readonly error?: { readonly desc: string } }> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("QEMU ended before it answered");
    const message = JSON.parse(value);
    if ("return" in message || "error" in message) return message;
  }
}
