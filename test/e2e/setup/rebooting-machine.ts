import type { ChildProcess } from "node:child_process";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { checkout } from "../../programs/checkout.ts";
import { ended, firstLine, spawnLeashed } from "../../programs/leashed-process.ts";
import { createScratchFolder } from "../../rack/scratch-folder.ts";
import { until } from "../../until.ts";
import { type InstalledFile, scriptInside } from "../systemd/systemd-machine.ts";

/** What is at the other end of a network card: the world at eth0's, the rack's switch at eth1's. */
export type FarEnd = "world" | "switch";

/** A machine with a disk, two network cards and systemd, in a container. Its disk outlives the power. */
export interface RebootingMachine {
  /** Runs a program in it. Rejects when that fails. */
  run(program: string, ...args: readonly string[]): Promise<string>;
  /** The command line to run a program in it. */
  inside(): Promise<readonly string[]>;
  /** Runs a program at the other end of a cable. */
  runAt(end: FarEnd, program: string, ...args: readonly string[]): Promise<string>;
  /** The namespace there, for nsenter(1). */
  networkAt(end: FarEnd): Promise<string>;
  /** Takes its power away. */
  powerOff(): Promise<void>;
  /** Starts it, and resolves when it has reached its target. */
  powerOn(): Promise<void>;
  close(): Promise<void>;
}

/** What a machine is made of. */
export interface MachineParts {
  /** Path of the root filesystem that it starts from, which stays as it is; default: this machine's, without its settings. */
  readonly root?: string;
  /** Files to install. */
  readonly files?: readonly InstalledFile[];
  /** Folders of this machine by their places below /mnt, as when a USB stick is plugged in. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Whether it has the controller of this checkout as /usr/local/bin/controller; default true. */
  readonly withController?: boolean;
}

/** Makes one, switched off. */
export async function buildRebootingMachine(parts: MachineParts): Promise<RebootingMachine> {
  const { root = "/", files = [], folders = {}, withController = true } = parts;
  const scratch = await createScratchFolder("pallet-setup-");
  const program: InstalledFile = {
    path: "/usr/local/bin/controller",
    content: { text: await scriptInside("controller") },
    mode: 0o755,
  };
  await mkdir(path.join(scratch.path, "installed"));
  for (const { path: name, content, mode = 0o644 } of [...(withController ? [program] : []), ...files]) {
    const place = path.join(scratch.path, "installed", name);
    await mkdir(path.dirname(place), { recursive: true });
    if ("linkTo" in content) await symlink(content.linkTo, place);
    else {
      await writeFile(place, content.text);
      await chmod(place, mode);
    }
  }
  const holdDisk = path.join(import.meta.dirname, "hold-disk");
  const holder = spawnLeashed("unshare", ["--mount", "--", holdDisk, scratch.path, root]);
  const holderEnd = ended(holder);
  let complaint = "";
  holder.stderr?.setEncoding("utf8").on("data", (text) => (complaint += text));
  try {
    await firstLine(holder);
  } catch (error) {
    await holderEnd;
    await scratch.remove();
    throw new Error(`there is no disk: ${complaint}`, { cause: error });
  }

  let machine: ChildProcess | undefined;
  let said = "";
  const first = async (): Promise<string> =>
    (await readFile(`/proc/${machine?.pid}/task/${machine?.pid}/children`, "utf8")).trim().split(" ")[0] ?? "";
  const inside = async (): Promise<readonly string[]> => {
    const spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"];
    return ["nsenter", "--target", await first(), ...spaces, "--"];
  };
  const run: RebootingMachine["run"] = async (name, ...args) => {
    const [enter = "", ...words] = await inside();
    return (await execa(enter, [...words, name, ...args])).stdout;
  };
  /** Process ids are those of the machine: only there they mean the process. */
  const runAt: RebootingMachine["runAt"] = async (end, ...command) =>
    await run("sh", "-c", 'exec nsenter --net="/proc/$(cat "/run/$0.pid")/ns/net" -- "$@"', end, ...command);
  const powerOff = async (): Promise<void> => {
    if (machine === undefined) return;
    const end = ended(machine);
    machine.kill("SIGKILL");
    await end;
    machine = undefined;
  };
  return {
    run,
    inside,
    runAt,
    async networkAt(end) {
      const pid = (await run("cat", `/run/${end}.pid`)).trim();
      return `/proc/${await first()}/root/proc/${pid}/ns/net`;
    },
    powerOff,
    async powerOn() {
      const namespaces = ["--mount", "--pid", "--fork", "--cgroup", "--net", "--uts", "--ipc", "--kill-child"];
      const mounts = { ...(withController && { "/mnt/checkout": checkout }), ...folders };
      const power = [path.join(import.meta.dirname, "power-on"), scratch.path, ...Object.entries(mounts).flat()];
      // Into the mounts of the disk, which the holder made in a namespace of its own.
      machine = spawnLeashed("nsenter", [
        `--mount=/proc/${holder.pid}/ns/mnt`,
        "--wd=/",
        "unshare",
        ...namespaces,
        ...power,
      ]);
      said = "";
      for (const stream of [machine.stdout, machine.stderr])
        stream?.setEncoding("utf8").on("data", (text) => (said += text));
      const isUp = (): Promise<boolean> =>
        run("systemctl", "is-active", "multi-user.target").then(
          () => true,
          () => false,
        );
      await until(isUp, () => `systemd does not start: ${said}`, { everyMs: 200, withinMs: 600_000 });
    },
    async close() {
      await powerOff();
      holder.kill("SIGKILL");
      await holderEnd;
      await scratch.remove();
    },
  };
}
