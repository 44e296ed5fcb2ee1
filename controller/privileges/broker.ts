import { chmod, mkdir } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Failure, messageOf } from "../../proto/failure.ts";
import { isDiskFull } from "../../proto/linux/disk-full.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { settlesWithin } from "../../proto/time/settles-within.ts";
import type { Caller } from "../callers/caller.ts";
import type { Config } from "../config/config.ts";
import { clearUnfinished, withUnfinishedFolder } from "../images/catalogue/unfinished-folder.ts";
import type { LayOut } from "../images/derive/lay-out.ts";
import type { MachineRole } from "../network/dnsmasq/choose-offers.ts";
import { type Dnsmasq, type DnsmasqOptions, dnsmasqFiles } from "../network/dnsmasq/dnsmasq.ts";
import { planDnsmasq } from "../network/dnsmasq/plan-dnsmasq.ts";
import type { InterfaceAddress } from "../network/interface-address.ts";
import type { StartNfsServer } from "../network/nfs/nfs-server.ts";
import { type NfsServiceOptions, planExport } from "../network/nfs/nfs-service.ts";
import type { SupervisorOptions } from "../network/supervise-process.ts";
import { brokerDiskFull } from "../refusal/disk-full.ts";
import { Refusal } from "../refusal/refusal.ts";
import { locateRoots } from "../roots/read-roots.ts";
import type { RemoveRoots } from "../roots/root-keeper.ts";
import { versionsFolder } from "../roots/root-paths.ts";
import { type Channel, createChannel } from "./channel.ts";
import { renderFailureMessage } from "./failure-message.ts";
import { assertOnlyRootDecides } from "./only-root.ts";
import { type BrokerRequest, parseHosts, parseRemoval, parseRequest } from "./parse-request.ts";

export interface BrokerOptions {
  /** Reads the configuration that root has written: what the broker goes by. */
  readConfig(): Promise<Config>;
  /** The file that it is in, for messages. */
  readonly configFile: string;
  /** A folder of root's alone, for the files of what the broker runs. */
  readonly directory: string;
  /** Who is at the other end of a connection. */
  userOf(connection: Socket): Extract<Caller, { readonly kind: "socket-user" }>;
  /** The user that may ask, beside root. */
  readonly user: string;
  /** Monotonic. */
  readonly clock: Clock;
  readonly log: SupervisorOptions["log"] & {
    debug(details: object, message: string): void;
    warn(details: object, message: string): void;
  };
  interfaceAddresses(): readonly InterfaceAddress[];
  machineRole(): Promise<MachineRole>;
  startDnsmasq(options: Omit<DnsmasqOptions, "config">): Promise<Dnsmasq>;
  readonly nfsServers: NfsServiceOptions["servers"];
  readonly removeRoots: RemoveRoots;
  readonly layOut: LayOut;
}

/** What a controller that is not root has done by root. */
export interface Broker {
  /** Answers a connection. */
  admit(connection: Socket): void;
  /** Resolves once nobody has asked for anything for a while. */
  readonly idle: Promise<void>;
  /** Ends all that was asked for, and resolves when it has ended. */
  close(): Promise<void>;
}

/** A connection that asks for nothing is closed after this time, in milliseconds. */
const requestMs = 10_000;
/** How long the one before may take to end, in milliseconds. */
const handOverMs = 20_000;
/** How long a refusal waits to be read, in milliseconds. */
const lingerMs = 5_000;
/** How long the broker stays without work, in milliseconds: its socket starts it again. */
const idleMs = 30_000;
/** Connections at a time; a controller has a few. */
export const mostConnections = 32;

/**
 * Makes the broker. It decides by what root has written and by what it finds on this machine;
 * what it is asked only chooses. Each connection is one request, and what that started ends with it.
 */
export async function createBroker(options: BrokerOptions): Promise<Broker> {
  const { directory, log, clock } = options;
  const images = join(directory, "images");
  await mkdir(images, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  await clearUnfinished(images);
  const turns = new Map<string, Promise<void>>();
  const open = new Map<Socket, Promise<void>>();
  const idle = Promise.withResolvers<void>();
  let stopIdling = clock.setTimeout(idle.resolve, idleMs);

  /** Runs `work` when what a controller before, or this one, had of the same kind is over. */
  async function inTurn(name: string, work: () => Promise<void>): Promise<void> {
    const before = turns.get(name) ?? Promise.resolve();
    if (!(await settlesWithin(clock, handOverMs, before)) || turns.has(name))
      throw new Failure("in-use", `another controller has the broker serve ${name} already`);
    const over = Promise.withResolvers<void>();
    turns.set(name, over.promise);
    try {
      await work();
    } finally {
      turns.delete(name);
      over.resolve();
    }
  }

  /** The configuration, as long as root alone decides on it. */
  async function readConfig(): Promise<Config> {
    await assertOnlyRootDecides(options.configFile, "the configuration").catch((error: NodeJS.ErrnoException) => {
      // Without one, the defaults hold.
      if (error.code !== "ENOENT") throw error;
    });
    return options.readConfig();
  }

  function refuseOther(setting: string): never {
    throw new Failure(
      "invalid",
      `${setting} in ${options.configFile} is not what the controller goes by: restart it (systemctl restart pallet-controller); ` +
        "what it gets from its environment or command line has to stand in that file",
    );
  }

  const verbs: {
    readonly [Verb in BrokerRequest["verb"]]: (
      request: Extract<BrokerRequest, { readonly verb: Verb }>,
      channel: Channel,
    ) => Promise<void>;
  } = {
    async dnsmasq({ dhcp, advertise, hosts }, channel) {
      const config = await readConfig();
      if (!isDeepStrictEqual(asSent(config.dhcp), dhcp)) refuseOther("dhcp");
      if (config.advertise !== advertise) refuseOther("advertise");
      await inTurn("DHCP", async () => {
        const folder = join(directory, "dnsmasq");
        const addresses = options.interfaceAddresses();
        const { settings } = planDnsmasq(config, addresses, await options.machineRole(), dnsmasqFiles(folder));
        const dnsmasq = await options.startDnsmasq({
          ...{ directory: folder, settings, hosts, clock, log },
          onLine: (line) => void channel.send({ line }).catch(() => undefined),
        });
        try {
          await channel.send({ ready: true });
          for (let message = await channel.next(); message !== undefined; message = await channel.next()) {
            await dnsmasq.setHosts(parseHosts(objectIn(message)));
            await channel.send({ done: true });
          }
        } finally {
          await dnsmasq.close();
        }
      });
    },

    async nfs({ mode, path }, channel) {
      const config = await readConfig();
      if (config.nfs.mode !== mode) refuseOther("nfs.mode");
      const { mountPath: _, ...nfsExport } = await planExport(config, options.interfaceAddresses());
      if (nfsExport.path !== path) refuseOther("nfs.rootfs");
      await assertOnlyRootDecides(path, "nfs.rootfs");
      await inTurn("NFS", async () => {
        const start: StartNfsServer = options.nfsServers[mode];
        const server = await start({ nfsExport, directory: join(directory, "nfs", mode), clock, log });
        try {
          await channel.send({ ready: true, remedy: server.remedy });
          await assertSilent(channel);
        } finally {
          await server.close();
        }
      });
    },

    async roots({ store }, channel) {
      const { rootfs } = (await readConfig()).nfs;
      const location = rootfs === undefined ? undefined : await locateRoots(rootfs);
      if (location?.kind !== "store" || location.store !== store) refuseOther("nfs.rootfs");
      await assertOnlyRootDecides(join(store, versionsFolder), "the store of root filesystems").catch(ignoreMissing);
      await assertOnlyRootDecides(store, "nfs.rootfs");
      await options.removeRoots(store, async (roots) => {
        await channel.send({ ready: true });
        for (let message = await channel.next(); message !== undefined; message = await channel.next()) {
          const id = parseRemoval(objectIn(message));
          await roots.remove(id);
          log.info({ id }, "removed a root filesystem");
          await channel.send({ done: true });
        }
      });
    },

    async derive({ old }, channel) {
      await withUnfinishedFolder(images, async (folder) => {
        try {
          const { raw, ...laidOut } = await options.layOut({
            old,
            source: channel.receiveStream(),
            stored: () => channel.receiveStream(),
            folder,
            signal: channel.ended,
            onStep: (step) => void channel.send({ step }).catch(() => undefined),
          });
          await channel.send({ laidOut });
          await channel.sendStream(raw);
        } catch (error) {
          if (!(error instanceof Refusal) && isDiskFull(error)) throw brokerDiskFull(images, error);
          throw error;
        }
      });
    },
  };

  async function answer(socket: Socket, channel: Channel): Promise<void> {
    const stopWaiting = clock.setTimeout(() => channel.close(), requestMs);
    try {
      const user = options.userOf(socket);
      if (user.uid !== 0 && user.name !== options.user)
        throw new Failure("not-permitted", `only ${options.user} and root may ask the broker, not ${user.name}`);
      const message = await channel.next();
      stopWaiting();
      if (message === undefined) return;
      const request = parseRequest(objectIn(message));
      log.info({ verb: request.verb }, "asked for");
      // The table has a function for each verb, which the compiler cannot join with its request.
      await (verbs[request.verb] as (request: BrokerRequest, channel: Channel) => Promise<void>)(request, channel);
    } catch (error) {
      stopWaiting();
      if (channel.ended.aborted) return;
      log.warn({ err: error }, `refused or failed: ${messageOf(error)}`);
      await channel.send(renderFailureMessage(error)).catch(() => undefined);
      await settle(channel);
    } finally {
      channel.close();
    }
  }

  /** Takes in what still comes, so that the other side is not broken off before it has read the answer. */
  async function settle(channel: Channel): Promise<void> {
    const stop = clock.setTimeout(() => channel.close(), lingerMs);
    const pass = async (): Promise<void> => {
      while ((await channel.next()) !== undefined);
    };
    await pass().catch(() => undefined);
    stop();
  }

  return {
    admit(connection) {
      stopIdling();
      const answered = answer(connection, createChannel(connection)).finally(() => {
        open.delete(connection);
        if (open.size === 0) stopIdling = clock.setTimeout(idle.resolve, idleMs);
      });
      open.set(connection, answered);
    },
    idle: idle.promise,
    async close() {
      stopIdling();
      for (const socket of open.keys()) socket.destroy();
      await Promise.all(open.values());
    },
  };
}

function objectIn(message: { readonly kind: string; readonly value?: unknown }): unknown {
  if (message.kind === "value") return message.value;
  throw new Failure("invalid", "bytes came where an object was due");
}

/** As it is after its way through JSON. */
function asSent(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Resolves when the other side has ended. */
async function assertSilent(channel: Channel): Promise<void> {
  if ((await channel.next()) !== undefined) throw new Failure("invalid", "nothing more was due on this connection");
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
