import { once } from "node:events";
import { constants } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { z } from "zod";
import { Failure, messageOf } from "../../proto/failure.ts";
import { errorCodeOf } from "../../proto/linux/error-code-of.ts";
import { mayAccess } from "../../proto/linux/may-access.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { brokerUnit } from "../config/broker-socket.ts";
import { renderManifest } from "../images/catalogue/parse-manifest.ts";
import type { LaidOut, LayOut } from "../images/derive/lay-out.ts";
import type { Dnsmasq, DnsmasqOptions } from "../network/dnsmasq/dnsmasq.ts";
import { isNameable } from "../network/dnsmasq/render-dhcp-hosts.ts";
import type { NfsServer, StartNfsServer } from "../network/nfs/nfs-server.ts";
import type { NfsServiceOptions } from "../network/nfs/nfs-service.ts";
import { restartDelayMs } from "../network/restart-delay.ts";
import type { SupervisorOptions } from "../network/supervise-process.ts";
import { NotYet } from "../refusal/not-yet.ts";
import { changeRoots } from "../roots/change-roots.ts";
import type { RemoveRoots } from "../roots/root-keeper.ts";
import { versionsFolder } from "../roots/root-paths.ts";
import { type Channel, createChannel } from "./channel.ts";
import { parseFailureMessage } from "./failure-message.ts";
import { isIpv4 } from "./parse-request.ts";

/** What needs root, and is done by the broker for a controller that is not. */
export interface ThroughBroker {
  startDnsmasq(options: DnsmasqOptions): Promise<Dnsmasq>;
  readonly nfsServers: NfsServiceOptions["servers"];
  readonly removeRoots: RemoveRoots;
  readonly layOut: LayOut;
}

/** How long a broker may take to take a connection and begin, in milliseconds. */
const beginMs = 60_000;

const laidOut = z.object({
  laidOut: z.object({
    sizeBytes: z.number().int().positive(),
    notes: z.array(z.string()),
    plainWriteBytes: z.number().int().nonnegative().exactOptional(),
  }),
});

/**
 * Has the broker at a socket do it. Throws NotYet where no broker answers; what the broker throws comes through.
 */
export function throughBroker(socket: string): ThroughBroker {
  const nfsServer =
    (mode: "kernel" | "ganesha"): StartNfsServer =>
    async ({ nfsExport: { path }, clock, log }): Promise<NfsServer> => {
      let remedy = "";
      const kept = await keepServed(socket, "NFS", { clock, log }, async (channel) => {
        await channel.send({ verb: "nfs", mode, path });
        remedy = z.object({ remedy: z.string() }).parse(await expect(channel, "ready")).remedy;
      });
      return { remedy, close: kept.close };
    };

  return {
    async startDnsmasq({ config, hosts, onLine, clock, log }) {
      let latest = hosts;
      const kept = await keepServed(
        socket,
        "DHCP",
        { clock, log },
        async (channel) => {
          await channel.send({ verb: "dnsmasq", ...config, hosts: asHosts(latest) });
          await expect(channel, "ready", onLine);
        },
        onLine,
      );
      return {
        async setHosts(changed) {
          // One that is just being started again is told then.
          latest = changed;
          await kept.ask({ hosts: asHosts(changed) });
        },
        close: kept.close,
      };
    },

    nfsServers: { kernel: nfsServer("kernel"), ganesha: nfsServer("ganesha") },

    async removeRoots(store, change) {
      // Somebody's own, who is not root.
      if (await mayAccess(join(store, versionsFolder), constants.W_OK)) return changeRoots(store, change);
      const channel = await open(socket);
      try {
        await channel.send({ verb: "roots", store });
        await expect(channel, "ready");
        return await change({
          async remove(id) {
            await channel.send({ remove: id });
            await expect(channel, "done");
          },
        });
      } finally {
        channel.close();
      }
    },

    async layOut({ old, source, stored, signal, onStep }) {
      const channel = await open(socket);
      const cancel = (): void => channel.close();
      signal.addEventListener("abort", cancel, { once: true });
      channel.ended.addEventListener("abort", () => signal.removeEventListener("abort", cancel), { once: true });
      let unsent: unknown;
      const send = async (): Promise<void> => {
        await channel.send({ verb: "derive", image: JSON.parse(renderManifest(old)) });
        for (const stream of [() => source, () => stored("manifest"), () => stored("pack")])
          await channel.sendStream(stream());
      };
      send().catch((error: unknown) => {
        // What the broker has said by then says more.
        if (!channel.ended.aborted) unsent = error;
        channel.close();
      });
      const result = async (): Promise<LaidOut> => {
        for (let message = await channel.next(); ; message = await channel.next()) {
          const value = objectIn(message);
          const step = z.object({ step: z.string() }).safeParse(value);
          if (step.success) onStep(step.data.step);
          else return { ...laidOut.parse(value).laidOut, raw: rest() };
        }
      };
      const rest = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield* channel.receiveStream(parseFailureMessage);
        } finally {
          channel.close();
        }
      };
      try {
        return await result();
      } catch (error) {
        channel.close();
        signal.throwIfAborted();
        throw unsent ?? error;
      }
    },
  };
}

/** A service that the broker runs while the connection lasts. */
interface Kept {
  /** Asks it for something; does nothing while it is being started again. */
  ask(value: object): Promise<void>;
  close(): Promise<void>;
}

/**
 * Keeps a connection that has the broker serve, and makes it again, ever later, when it breaks. `begin` asks for it, and resolves when
 * it serves. Throws what the first `begin` throws.
 */
async function keepServed(
  socket: string,
  name: string,
  { clock, log }: { readonly clock: Clock; readonly log: SupervisorOptions["log"] },
  begin: (channel: Channel) => Promise<void>,
  onLine?: (line: string) => void,
): Promise<Kept> {
  const closing = new AbortController();
  let attempt = 0;
  let current: Channel | undefined;
  let answers: PromiseWithResolvers<void>[] = [];

  async function start(): Promise<void> {
    const channel = await open(socket);
    try {
      await begin(channel);
    } catch (error) {
      channel.close();
      throw error;
    }
    if (closing.signal.aborted) return channel.close();
    current = channel;
    const startedAt = clock.now();
    read(channel).then((why) => {
      current = undefined;
      const unanswered = answers;
      answers = [];
      for (const { resolve } of unanswered) resolve();
      if (closing.signal.aborted) return;
      attempt = clock.now() - startedAt >= 60_000 ? 0 : attempt;
      later(why);
    });
  }

  /** Until it ends. Returns why. */
  async function read(channel: Channel): Promise<string> {
    try {
      for (;;) {
        const value = objectIn(await channel.next());
        const line = lineIn(value);
        if (line !== undefined) onLine?.(line);
        else answers.shift()?.resolve();
      }
    } catch (error) {
      channel.close();
      return messageOf(error);
    }
  }

  function later(why: string): void {
    attempt += 1;
    const delayMs = restartDelayMs(attempt);
    log.error({ why, delayMs }, `${name} of the broker ended; starting it again`);
    const again = (): void => {
      start().then(
        () => log.info({}, `${name} is served again`),
        (error: unknown) => {
          if (!closing.signal.aborted) later(messageOf(error));
        },
      );
    };
    clock.setTimeout(again, delayMs, closing.signal);
  }

  await start();
  return {
    async ask(value) {
      if (current === undefined) return;
      const answered = Promise.withResolvers<void>();
      answers.push(answered);
      await current.send(value);
      await answered.promise;
    },
    async close() {
      closing.abort();
      current?.close();
    },
  };
}

/** Connects. Throws NotYet that says what to do where nobody answers. */
async function open(path: string): Promise<Channel> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
  } catch (cause) {
    throw noBroker(path, socket, cause);
  }
  return createChannel(socket);
}

function noBroker(path: string, socket: Socket, cause: unknown): NotYet {
  socket.destroy();
  return new NotYet(
    `the controller does not run as root, and its broker does not answer at ${path} (${errorCodeOf(cause) ?? messageOf(cause)}): ` +
      `start it (systemctl enable --now ${brokerUnit}), or run the controller as root`,
    { cause },
  );
}

/** Waits for a message that has the field. Throws the failure that comes instead. */
async function expect(channel: Channel, field: string, onLine?: (line: string) => void): Promise<unknown> {
  const late = setTimeout(() => channel.close(), beginMs);
  try {
    for (;;) {
      const value = objectIn(await channel.next());
      if (typeof value === "object" && value !== null && field in value) return value;
      const line = lineIn(value);
      if (line !== undefined) onLine?.(line);
    }
  } finally {
    clearTimeout(late);
  }
}

/** The object of a message. Throws the failure that it says, and where the broker has ended instead. */
function objectIn(message: Awaited<ReturnType<Channel["next"]>>): unknown {
  if (message === undefined)
    throw new Failure("node-silent", "the broker has ended the connection; see journalctl -u pallet-broker");
  if (message.kind !== "value") throw new Failure("internal", "the broker sent bytes where an object was due");
  const failure = parseFailureMessage(message.value);
  if (failure !== undefined) throw failure;
  return message.value;
}

function lineIn(value: unknown): string | undefined {
  return typeof value === "object" && value !== null && "line" in value ? String(value.line) : undefined;
}

/** What of nodes the broker is told: what it would leave out of dnsmasq's list, it would refuse here. */
function asHosts(hosts: DnsmasqOptions["hosts"]): readonly object[] {
  return hosts.filter(isNameable).map(({ id, name, accepted, address, lastSeenAt }) => {
    const isListed = address !== undefined && isIpv4(address);
    return { id, name, accepted, lastSeenAt, ...(isListed && { address }) };
  });
}
