import assert from "node:assert/strict";
import { mkdir, readdir, rename } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { checkout } from "../../programs/checkout.ts";
import { readBlock } from "../../rack/documented/read-documentation.ts";
import { createScratchFolder } from "../../rack/scratch-folder.ts";
import { provideDebianRoot } from "./debian-root.ts";
import { buildEarlier, makeEarlier } from "./earlier-package.ts";
import { buildRebootingMachine, type RebootingMachine } from "./rebooting-machine.ts";

/** What a user who has just logged in as root has. */
const environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"];

/** A bare Debian, and a stick with Pallet's packages in it. */
export interface MachineWithStick {
  readonly machine: RebootingMachine;
  /**
   * The stick, which is /mnt/stick inside: Pallet's packages of an earlier version with all that they need, and below
   * newer/ those of this checkout.
   */
  readonly stick: string;
  /** Paths of this checkout's packages. */
  readonly packages: { readonly controller: string; readonly rack: string };
  /** Path of U-Boot for a virtual Pi, as it is in the package. */
  readonly uBoot: string;
  /** A folder for what else belongs to the machine. */
  readonly folder: string;
  /** Runs a program in it as a user does who has logged in as root. Rejects when that fails. */
  run(...command: readonly string[]): Promise<string>;
  /** Types the documentation's block of that name on the stick. */
  asDocumented(name: string): Promise<string>;
  /** The versions of Pallet's packages on it: controller, rack. */
  versions(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/**
 * Makes both; the machine is off.
 *
 * @param earlierCommit whose packages are the earlier ones; default: this checkout's, with earlierVersion
 */
export async function makeMachineWithStick(earlierCommit?: string): Promise<MachineWithStick> {
  const scratch = await createScratchFolder("pallet-stick-");
  const folder = async (name: string): Promise<string> => {
    const made = path.join(scratch.path, name);
    await mkdir(made, { recursive: true });
    return made;
  };
  try {
    const stick = await folder("stick");
    const newer = await folder("stick/newer");
    const root = await provideDebianRoot();
    const { stdout: architecture } = await execa("dpkg", ["--print-architecture"]);
    const program = path.join(checkout, "scripts/packages/main.ts");
    await execa(process.execPath, [
      ...[program, "--architecture", architecture, "--with-dependencies", "--out", newer],
    ]);
    const files = await readdir(newer);
    const named = (name: string): string => {
      const found = files.find((file) => file.startsWith(`${name}_`));
      assert.ok(found !== undefined, `no package ${name} among ${files.join(", ")}`);
      return path.join(newer, found);
    };
    const packages = { controller: named("pallet-controller"), rack: named("pallet-rack") };
    const work = await folder("earlier");
    const earlier =
      earlierCommit === undefined
        ? await Promise.all([makeEarlier(packages.controller, work), makeEarlier(packages.rack, work)])
        : await buildEarlier(earlierCommit, architecture, work);
    for (const deb of earlier) await rename(deb, path.join(stick, path.basename(deb)));
    for (const file of files)
      if (!file.startsWith("pallet-")) await rename(path.join(newer, file), path.join(stick, file));
    const uBoot = path.join(scratch.path, "u-boot.bin");
    const inPackage = "./usr/share/pallet/rack/boot/qemu_arm64/u-boot.bin";
    const extract = 'dpkg-deb --fsys-tarfile "$0" | tar -xO "$1" >"$2"';
    await execa("sh", ["-c", extract, packages.rack, inPackage, uBoot]);
    const machine = await buildRebootingMachine({ root, withController: false, folders: { "/mnt/stick": stick } });
    const run = (...command: readonly string[]): Promise<string> =>
      machine.run("env", "-i", ...environment, ...command);
    return {
      ...{ machine, stick, packages, uBoot, folder: scratch.path, run },
      asDocumented: async (name) =>
        await run("bash", "-euo", "pipefail", "-c", `cd /mnt/stick\n${(await readBlock(name)).text}`),
      versions: async () =>
        (await run("sh", "-c", "dpkg --status pallet-controller pallet-rack | sed -n 's/^Version: //p'")).split("\n"),
      async close() {
        await machine.close();
        await scratch.remove();
      },
    };
  } catch (error) {
    await scratch.remove();
    throw error;
  }
}
