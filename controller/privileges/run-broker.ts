import { once } from "node:events";
import { createServer, type Server } from "node:net";
import process from "node:process";
import { Failure } from "../../proto/failure.ts";
import { listenForOwner, prepareSocketPath } from "../../proto/linux/owner-socket.ts";
import { type Broker, type BrokerOptions, createBroker, mostConnections } from "./broker.ts";

/** The first descriptor that systemd hands over (sd_listen_fds(3)). */
const firstDescriptor = 3;

/**
 * Serves until the signal aborts, or nobody asks for anything any more. Throws a Failure where it cannot.
 *
 * @param socket where to listen; undefined for what systemd hands over
 */
export async function runBroker(
  options: BrokerOptions,
  socket: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (process.geteuid?.() !== 0)
    throw new Failure("not-permitted", "the broker does what needs root: pallet-broker.socket starts it as root");
  const broker = await createBroker(options);
  const server = socket === undefined ? await listenForSystemd(broker.admit) : await listenAt(socket, broker.admit);
  server.maxConnections = mostConnections;
  options.log.info({}, "the broker listens");
  if (!signal.aborted) await Promise.race([once(signal, "abort"), ...(socket === undefined ? [broker.idle] : [])]);
  server.close();
  await broker.close();
}

async function listenForSystemd(admit: Broker["admit"]): Promise<Server> {
  if (process.env["LISTEN_FDS"] !== "1")
    throw new Failure("invalid", "no socket was handed over: pallet-broker.socket starts the broker");
  for (const name of ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"]) delete process.env[name];
  const server = createServer(admit).listen({ fd: firstDescriptor });
  await once(server, "listening");
  return server;
}

async function listenAt(path: string, admit: Broker["admit"]): Promise<Server> {
  await prepareSocketPath(path, { program: "broker", setting: "--listen" });
  return listenForOwner(path, admit);
}
