import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { type BundledPrograms, bundledPrograms } from "../../programs/bundled-programs.ts";
import { checkout } from "../../programs/checkout.ts";
import { ended, spawnLeashed } from "../../programs/leashed-process.ts";
import { createScratchFolder } from "../../rack/scratch-folder.ts";
import { until } from "../../until.ts";

/** A machine with this one's files, a network of its own, and systemd as its first process. */
export interface SystemdMachine {
  /** The address of its one interface, pallet0. */
  readonly address: string;
  /** A folder outside, which is /run/out inside. */
  readonly out: string;
  /** Runs a program in it. Rejects when that fails. */
  run(program: string, ...args: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

/** Targets that units depend on by default (systemd.special(7)); nothing of this machine's is in them. */
const targets = ["sysinit", "basic", "shutdown", "network", "multi-user"];

/** A file to install. */
export interface InstalledFile {
  /** From the root, which begins with a slash. */
  readonly path: string;
  readonly content: { readonly text: string } | { readonly linkTo: string };
  /** Permission bits; default: 0644. */
  readonly mode?: number;
}

const inside = (file: string): string => file.replace(checkout, "/mnt/checkout");

/** Node of this checkout, as a path inside. */
export const nodeInside: string = inside(process.execPath);

/** A script that runs one of this checkout's programs inside. */
export async function scriptInside(program: keyof BundledPrograms): Promise<string> {
  return `#!/bin/sh\nexec ${nodeInside} ${inside((await bundledPrograms())[program])} "$@"\n`;
}

/** Has a unit write what it says into the file "log" in the folder `out`. */
export function logOf(unit: string): InstalledFile {
  const text = "[Service]\nStandardOutput=append:/run/out/log\nStandardError=append:/run/out/log\n";
  return { path: `${unitsFolder}/${unit}.d/log.conf`, content: { text } };
}

const unitsFolder = "/etc/systemd/system";

/**
 * Boots it with the controller installed as controller/README.md says, but by Node and with its log in a file.
 *
 * @param config content of /etc/pallet/pallet.yaml
 */
export async function bootSystemdMachine(config: string): Promise<SystemdMachine> {
  const unitOf = (name: string): Promise<string> => readFile(path.join(checkout, "controller", name), "utf8");
  const setupFiles = ["pallet-controller.service", "pallet-broker.service", "pallet-broker.socket"];
  const texts = await Promise.all(setupFiles.map((name) => unitOf(`setup/files/${name}`)));
  const backup = await unitOf("pallet-backup.service");
  const machine = await bootSystemdWith([
    {
      path: "/usr/local/bin/controller",
      content: { text: await scriptInside("controller") },
      mode: 0o755,
    },
    { path: "/etc/pallet/pallet.yaml", content: { text: config } },
    ...setupFiles.map((name, index) => ({ path: `${unitsFolder}/${name}`, content: { text: texts[index] ?? "" } })),
    { path: "/etc/sysusers.d/pallet.conf", content: { text: await unitOf("setup/files/pallet.sysusers") } },
    { path: "/etc/tmpfiles.d/pallet.conf", content: { text: await unitOf("setup/files/pallet.tmpfiles") } },
    { path: `${unitsFolder}/pallet-backup.service`, content: { text: backup } },
    logOf("pallet-controller.service"),
    logOf("pallet-broker.service"),
    logOf("pallet-backup.service"),
  ]);
  await machine.run("systemd-sysusers", "/etc/sysusers.d/pallet.conf");
  await machine.run("systemd-tmpfiles", "--create", "/etc/tmpfiles.d/pallet.conf");
  return machine;
}

/** Boots it with these files in place of its own; of units, there are no others. */
export async function bootSystemdWith(files: readonly InstalledFile[]): Promise<SystemdMachine> {
  const scratch = await createScratchFolder("pallet-systemd-");
  const installed = path.join(scratch.path, "installed");
  const out = path.join(scratch.path, "out");
  await mkdir(out, { recursive: true });
  const bare = targets.map(
    (target): InstalledFile => ({
      path: `${unitsFolder}/${target}.target`,
      content: { text: "[Unit]\nDefaultDependencies=no\n" },
    }),
  );
  for (const { path: name, content, mode = 0o644 } of [...files, ...bare]) {
    const place = path.join(installed, name);
    await mkdir(path.dirname(place), { recursive: true });
    if ("linkTo" in content) await symlink(content.linkTo, place);
    else {
      await writeFile(place, content.text);
      await chmod(place, mode);
    }
  }

  const namespaces = ["--mount", "--pid", "--fork", "--cgroup", "--net", "--uts", "--ipc", "--kill-child"];
  const boot = [path.join(import.meta.dirname, "boot-systemd"), scratch.path, checkout, "multi-user.target"];
  const child = spawnLeashed("unshare", [...namespaces, ...boot]);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (text) => (said += text));
  const end = ended(child);
  const first = async (): Promise<string> =>
    (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")).trim();
  const run = async (name: string, ...args: readonly string[]): Promise<string> => {
    const into = [
      "--target",
      await first(),
      "--mount",
      "--uts",
      "--ipc",
      "--net",
      "--pid",
      "--cgroup",
      "--root",
      "--wd",
    ];
    return (await execa("nsenter", [...into, "--", name, ...args])).stdout;
  };
  const close = async (): Promise<void> => {
    child.kill("SIGKILL");
    await end;
    await scratch.remove();
  };
  try {
    const isUp = (): Promise<boolean> =>
      run("systemctl", "is-active", "multi-user.target").then(
        () => true,
        () => false,
      );
    await until(isUp, () => `systemd does not start: ${said}`, { everyMs: 100 });
  } catch (error) {
    await close();
    throw error;
  }
  return { address: "10.78.0.1", out, run, close };
}
