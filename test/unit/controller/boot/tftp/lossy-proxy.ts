import { createSocket, type Socket } from "node:dgram";

/** What befalls packets: probabilities from 0 to 1, drawn from a seeded generator in the order of the packets. */
export interface Weather {
  readonly seed: number;
  readonly lose: number;
  readonly double: number;
  /** Held back for a few milliseconds, so that later packets overtake it. */
  readonly delay: number;
}

export interface LossyProxy {
  readonly port: number;
  /** Packets lost, doubled and delayed so far. */
  readonly counts: { lose: number; double: number; delay: number };
  close(): void;
}

/**
 * A UDP proxy on 127.0.0.1 in front of a TFTP server: each client gets its own pair of sockets, so that transfer ids
 * (ports) stay apart on both sides as they would without it.
 */
export async function startLossyProxy(serverPort: number, weather: Weather): Promise<LossyProxy> {
  const random = mulberry32(weather.seed);
  const counts = { lose: 0, double: 0, delay: 0 };
  const listener = await bind();
  const open = new Set<Socket>([listener]);
  const timers = new Set<NodeJS.Timeout>();
  let closed = false;

  const later = (delayMs: number, act: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, delayMs);
    timers.add(timer);
  };
  const pass = (act: () => void): void => {
    const draw = random();
    if (draw < weather.lose) counts.lose += 1;
    else if (draw < weather.lose + weather.double) {
      counts.double += 1;
      act();
      later(1, act);
    } else if (draw < weather.lose + weather.double + weather.delay) {
      counts.delay += 1;
      later(1 + Math.floor(random() * 4), act);
    } else act();
  };
  const clients = new Map<number, Promise<(packet: Buffer) => void>>();
  const connect = async (clientPort: number): Promise<(packet: Buffer) => void> => {
    const [towardServer, towardClient] = await Promise.all([bind(), bind()]);
    let transferPort = serverPort;
    for (const socket of [towardServer, towardClient]) open.add(socket);
    if (closed) close();
    towardServer.on("message", (packet, from) => {
      transferPort = from.port;
      pass(() => closed || towardClient.send(packet, clientPort, "127.0.0.1"));
    });
    towardClient.on("message", (packet) => {
      pass(() => closed || towardServer.send(packet, transferPort, "127.0.0.1"));
    });
    return (request) => pass(() => closed || towardServer.send(request, serverPort, "127.0.0.1"));
  };
  const close = (): void => {
    closed = true;
    for (const timer of timers) clearTimeout(timer);
    for (const socket of open) socket.close();
    open.clear();
  };

  listener.on("message", (request, { port }) => {
    const client = clients.get(port) ?? connect(port);
    clients.set(port, client);
    client.then((forward) => forward(request), close);
  });
  return { port: listener.address().port, counts, close };
}

function bind(): Promise<Socket> {
  const socket = createSocket("udp4");
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, "127.0.0.1", () => resolve(socket));
  });
}

/** Tommy Ettinger's mulberry32: small, seeded, good enough to choose packets. Numbers from 0 to below 1. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
