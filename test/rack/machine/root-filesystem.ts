import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmdirSync, symlinkSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import type { CardPartition } from "./card-partitions.ts";
import type { MachineSpec } from "./machine-spec.ts";
import { mount, runTool } from "./run-tool.ts";

/** Node and the agent's script, as paths in the new root filesystem. */
export type AgentCommand = readonly [node: string, main: string];

/** The root filesystem of a card, entered. */
export interface CardRoot {
  /** Undefined when nothing in that system starts an agent. */
  readonly agent: AgentCommand | undefined;
}

/** Where a netbooted node has its agent as the single file that it installs into new systems. */
export const agentProgram = "/run/pallet-agent";

const rootDirectory = "/run/root";
const checkoutInside = "/run/pallet-checkout";

/**
 * Enters the root filesystem of a netbooted node: programs of the host read-only, the node's own writes in RAM.
 * (The rack has no NFS server; "/" is a tmpfs where a real node has an overlay of NFS and a tmpfs.)
 */
export async function enterNetworkRoot(spec: MachineSpec): Promise<AgentCommand> {
  const directory = rootDirectory;
  mkdirSync(directory);
  await mount("-t", "tmpfs", "-o", "mode=755", "rootfs", directory);
  for (const name of ["bin", "sbin", "lib", "lib32", "lib64", "libx32"]) await reproduce(`/${name}`, directory);
  for (const name of ["usr", "etc"]) {
    mkdirSync(path.join(directory, name));
    await mount("--bind", "-o", "ro", `/${name}`, path.join(directory, name));
  }
  for (const name of ["mnt", "var", "root", "home"]) mkdirSync(path.join(directory, name));
  const command = await furnishAndEnter(spec, directory);
  // What stands for the binary runs on no other machine, and does not have to: on the card it is only looked for.
  await writeFile(agentProgram, `#!/bin/sh\nexec ${command.join(" ")} "$@"\n`, { mode: 0o755 });
  return command;
}

/**
 * Enters the card's root partition, made runnable on this CPU: the host's /usr in place of its arm64
 * programs. Everything else, /etc with the stamp of the reimage above all, is the card's own.
 * The agent runs only if the card has it as its init system wants it: the program, and what starts it.
 * Throws, with the message that a kernel would panic with, when the card holds no such system.
 */
export async function enterCardRoot(spec: MachineSpec, partition: CardPartition): Promise<CardRoot> {
  const directory = rootDirectory;
  mkdirSync(directory);
  await mount("-t", partition.filesystemType, partition.device, directory).catch((error: unknown) => {
    throw new Error(`VFS: Unable to mount root fs on ${partition.device}`, { cause: error });
  });
  // An image may name its programs by absolute symlinks, which mean the card's files only once it is the root.
  const present = (file: string) => lstatSync(path.join(directory, file), { throwIfNoEntry: false }) !== undefined;
  if (!present("etc/os-release") && !present("usr/lib/os-release")) throw new Error("No os-release on the root fs");
  if (!["sbin/init", "usr/sbin/init", "usr/lib/systemd/systemd"].some(present)) {
    throw new Error("No working init found.  Try passing init= option to kernel.");
  }
  const hasAgent = startsAgent(directory);
  mkdirSync(path.join(directory, "usr"), { recursive: true });
  await mount("--bind", "-o", "ro", "/usr", path.join(directory, "usr"));
  for (const name of ["bin", "sbin", "lib"]) {
    const target = path.join(directory, name);
    if (lstatSync(target, { throwIfNoEntry: false })?.isDirectory())
      await mount("--bind", "-o", "ro", `/${name}`, target);
    else await reproduce(`/${name}`, directory);
  }
  await reproduce("/lib64", directory);
  const agent = await furnishAndEnter(spec, directory);
  return { agent: hasAgent ? agent : undefined };
}

/** Whether the system has the agent's program, and a line of its inittab or an enabled unit that starts it. */
function startsAgent(directory: string): boolean {
  const wanted = path.join(directory, "etc/systemd/system/multi-user.target.wants/pallet-agent.service");
  const inittab = path.join(directory, "etc/inittab");
  return (
    existsSync(path.join(directory, "usr/lib/pallet/agent")) &&
    (existsSync(wanted) ||
      (existsSync(inittab) &&
        /respawn:\/usr\/lib\/pallet\/agent --role resident$/m.test(readFileSync(inittab, "utf8"))))
  );
}

/** The same symlink or, where the host has a folder, a bind of it; nothing where something is there already. */
async function reproduce(source: string, directory: string): Promise<void> {
  const target = path.join(directory, source);
  const found = lstatSync(source, { throwIfNoEntry: false });
  if (found === undefined || lstatSync(target, { throwIfNoEntry: false }) !== undefined) return;
  if (found.isSymbolicLink()) {
    symlinkSync(readlinkSync(source), target);
  } else {
    mkdirSync(target);
    await mount("--bind", "-o", "ro", source, target);
  }
}

async function furnishAndEnter(spec: MachineSpec, directory: string): Promise<AgentCommand> {
  const inside = (name: string) => {
    const target = path.join(directory, name);
    mkdirSync(target, { recursive: true });
    return target;
  };
  for (const name of ["proc", "sys", "dev"]) await mount("--rbind", `/${name}`, inside(name));
  // A /run of its own also keeps the host's service manager out of reach: no agent can reboot the host through it.
  await mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", inside("run"));
  await mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", inside("tmp"));
  await mount("--bind", "-o", "ro", spec.checkout, inside(checkoutInside));
  if (spec.nodeModules !== undefined)
    await mount("--bind", "-o", "ro", spec.nodeModules, path.join(directory, checkoutInside, "node_modules"));
  const command: AgentCommand = [await nodeProgram(spec, directory), path.join(checkoutInside, spec.agent)];
  // Unlike chroot(2) this is the root of the first process too, and nothing of the host's root remains in sight.
  await runTool("pivot_root", directory, inside("run/host"));
  await runTool("umount", "--lazy", "/run/host");
  rmdirSync("/run/host");
  return command;
}

async function nodeProgram(spec: MachineSpec, directory: string): Promise<string> {
  const fromCheckout = path.relative(spec.checkout, process.execPath);
  if (!fromCheckout.startsWith("..")) return path.join(checkoutInside, fromCheckout);
  if (process.execPath.startsWith("/usr/") && existsSync(path.join(directory, process.execPath)))
    return process.execPath;
  const target = path.join(directory, "run/pallet-node");
  mkdirSync(target);
  await mount("--bind", "-o", "ro", path.dirname(process.execPath), target);
  return path.join("/run/pallet-node", path.basename(process.execPath));
}
