import { chmod, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { execa } from "../../../proto/linux/leashed-execa.ts";
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

/**
 * Boots it with the controller installed as controller/README.md says, but from source and with its log in a file.
 *
 * @param config content of /etc/pallet/pallet.yaml
 */
export async function bootSystemdMachine(config: string): Promise<SystemdMachine> {
  const scratch = await createScratchFolder("pallet-systemd-");
  const installed = path.join(scratch.path, "installed");
  const out = path.join(scratch.path, "out");
  const units = path.join(installed, "etc/systemd/system");
  const program = path.join(installed, "usr/local/bin/controller");
  for (const folder of [
    out,
    path.dirname(program),
    path.join(installed, "etc/pallet"),
    `${units}/pallet-controller.service.d`,
  ])
    await mkdir(folder, { recursive: true });
  const node = process.execPath.replace(checkout, "/mnt/checkout");
  await writeFile(program, `#!/bin/sh\nexec ${node} /mnt/checkout/controller/main.ts "$@"\n`);
  await chmod(program, 0o755);
  await writeFile(path.join(installed, "etc/pallet/pallet.yaml"), config);
  await cp(path.join(checkout, "controller/pallet-controller.service"), path.join(units, "pallet-controller.service"));
  const log = "[Service]\nStandardOutput=append:/run/out/log\nStandardError=append:/run/out/log\n";
  await writeFile(path.join(units, "pallet-controller.service.d/log.conf"), log);
  for (const target of targets)
    await writeFile(path.join(units, `${target}.target`), "[Unit]\nDefaultDependencies=no\n");

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
