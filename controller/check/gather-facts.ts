import { constants, readFile, stat, statfs } from "node:fs/promises";
import { userInfo } from "node:os";
import path from "node:path";
import process from "node:process";
import { mayAccess } from "../../proto/linux/may-access.ts";
import { chooseAgentBoot } from "../boot/choose-agent-boot.ts";
import { readServedRoots, type ServedRoots, servedRootOf } from "../boot/read-served-root.ts";
import { boardFiles } from "../boot-tree/board-files.ts";
import type { BootTreeManifest } from "../boot-tree/plan-boot-tree.ts";
import { readBootTreeManifest } from "../boot-tree/read-manifest.ts";
import { openClockFile } from "../clock/clock-file.ts";
import { judgeClock } from "../clock/judge-clock.ts";
import { readSynchronised } from "../clock/read-synchronised.ts";
import { brokerSocket } from "../config/broker-socket.ts";
import type { Config } from "../config/config.ts";
import { findHookProblems } from "../hooks/find-hook-problems.ts";
import { planServe } from "../network/plan-requirements.ts";
import { findMissing } from "../requirements/find-unmet.ts";
import { readRoots } from "../roots/read-roots.ts";
import { parseBootPathOfRoot } from "../roots/root-paths.ts";
import { type Capability, capabilityBits, type Facts, type RootfsFact } from "./facts.ts";
import { findInaccessible } from "./find-inaccessible.ts";
import { readInterfaces } from "./read-interfaces.ts";
import { readInitrd, readKernel } from "./read-kernel.ts";
import { readPorts } from "./read-ports.ts";
import { readRootfs } from "./read-rootfs.ts";
import { neededFirmware, neededUBoot } from "./select-boot-tree-problems.ts";

/**
 * Gathers the facts about this machine that a node's boot depends on.
 *
 * @param contract the one that this controller implements
 */
export async function gatherFacts(config: Config, contract: string): Promise<Facts> {
  const { bootTree, nfs } = config;
  const manifest = await readBootTreeManifest(bootTree).catch(() => "broken" as const);
  const roots = await readServedRoots(nfs);
  const built = manifest === "broken" ? undefined : manifest;
  const agent = chooseAgentBoot(config.bootProfile.agent, built, servedRootOf(roots));
  const fileOf = (wanted: string): string | undefined => {
    const file = parseBootPathOfRoot(wanted.split("/"))?.file;
    return file && roots.current && path.join(roots.current.folder, file);
  };
  const freeBytes = await readFreeBytes(config.imageDirectory);
  return {
    isRoot: process.getuid?.() === 0,
    user: userName(),
    inaccessible: await findInaccessible(config, roots.current?.folder),
    // Whether this user may ask one; its socket is there also while it sleeps.
    hasBroker: await mayAccess(brokerSocket, constants.W_OK),
    capabilities: await readCapabilities(),
    missing: await findMissing(planServe(config).needs),
    interfaces: await readInterfaces(),
    ports: await readPorts(config),
    bootTree: { ...(manifest !== undefined && { manifest }), sizes: await readSizes(bootTree, manifest) },
    kernel: await readKernel(bootTree, agent.kernel, fileOf),
    ...(agent.initrd !== undefined && { initrd: await readInitrd(bootTree, agent.initrd, fileOf) }),
    ...(agent.pi5 !== undefined && {
      pi5: {
        kernel: await readKernel(bootTree, agent.pi5.kernel, fileOf),
        initrd: await readInitrd(bootTree, agent.pi5.initrd, fileOf),
      },
    }),
    ...(nfs.mode !== "none" && nfs.rootfs !== undefined && { rootfs: await readServedRootfs(roots, nfs.rootfs) }),
    hooks: await findHookProblems(config.hooks),
    clock: await readClock(config.stateDirectory),
    contract,
    ...(freeBytes !== undefined && { freeBytes }),
  };
}

/** Its number where it has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}

/** What new boots mount: of a store, the version for them, or the one that would be if it had an agent. */
async function readServedRootfs({ store, current, path: plain }: ServedRoots, rootfs: string): Promise<RootfsFact> {
  if (store === undefined) return readRootfs(plain ?? rootfs);
  const root = current ?? (await readRoots(store)).at(-1);
  return root === undefined
    ? { ...(await readRootfs(path.join(store, "root"))), path: rootfs, store }
    : { ...(await readRootfs(root.rootFolder)), store };
}

/**
 * Effective capabilities of this process (proc_pid_status(5)); net_bind_service even where the system asks for none.
 */
async function readCapabilities(): Promise<readonly Capability[]> {
  const status = await readFile("/proc/self/status", "utf8");
  const set = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const lowest = Number(await readFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8").catch(() => "1024"));
  const names = Object.keys(capabilityBits) as Capability[];
  return names.filter(
    (name) => ((set >> BigInt(capabilityBits[name])) & 1n) === 1n || (name === "net_bind_service" && lowest <= 53),
  );
}

async function readSizes(
  bootTree: string,
  manifest: BootTreeManifest | "broken" | undefined,
): Promise<ReadonlyMap<string, number>> {
  const built = manifest === undefined || manifest === "broken" ? [] : Object.keys(manifest.files);
  const sizes = new Map<string, number>();
  const ofBoards = boardFiles.flatMap(({ files }) => files);
  for (const file of new Set([...neededFirmware, neededUBoot, ...ofBoards, ...built])) {
    const status = await stat(path.join(bootTree, file)).catch(() => undefined);
    if (status?.isFile()) sizes.set(file, status.size);
  }
  return sizes;
}

async function readClock(stateDirectory: string): Promise<Facts["clock"]> {
  const file = openClockFile(stateDirectory);
  // Whoever may not read it is told of missing rights elsewhere.
  const seenMs = await Promise.resolve()
    .then(file.read)
    .catch(() => undefined);
  const evidence = { systemMs: Date.now(), ...(seenMs !== undefined && { seenMs }), file: file.path };
  const isPlausible = judgeClock({ ...evidence, isSynchronised: false }).kind === "believed";
  return { ...evidence, isSynchronised: !isPlausible && (await readSynchronised()) };
}

/** Of the filesystem that the folder is on, or will be. */
async function readFreeBytes(folder: string): Promise<number | undefined> {
  for (let at = folder; ; at = path.dirname(at)) {
    try {
      const { bavail, bsize } = await statfs(at);
      return bavail * bsize;
    } catch {
      // Does not exist yet.
    }
    if (at === path.dirname(at)) return undefined;
  }
}
