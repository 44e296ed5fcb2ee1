import { connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** A way to an agent that breaks. */
export interface CutProxy {
  readonly port: number;
  /** Resolves once so many bytes have come from the agent that nothing more gets through. */
  readonly reached: Promise<void>;
}

/**
 * Listens on a free port of this machine and leads to a port of it; after so many bytes from there it cuts the
 * connection, as a node that lost its power, or lets nothing through any more.
 */
export async function aCutProxy(
  test: TestContext,
  to: number,
  { afterBytes, end }: { readonly afterBytes: number; readonly end: "cut" | "stall" },
): Promise<CutProxy> {
  const reached = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const agent = connect(to, "127.0.0.1");
    let bytes = 0;
    for (const socket of [client, agent]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    client.pipe(agent);
    client.on("close", () => agent.destroy());
    agent.on("close", () => client.destroy());
    agent.on("data", (chunk) => {
      bytes += chunk.length;
      if (bytes < afterBytes) return void client.write(chunk);
      if (end === "cut") for (const socket of [client, agent]) socket.destroy();
      else agent.pause();
      reached.resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  test.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, reached: reached.promise };
}
