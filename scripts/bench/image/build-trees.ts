import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import type { PackageChoice } from "./packages.ts";

/** Debian's archive; apt of this machine and of the system that is built reach it under the same name. */
const mirror = "http://deb.debian.org";
const suite = "bookworm";

/** A package and the versions between which it was upgraded. */
export interface Upgrade {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/** Installs Debian into `folder`, configured as on a real machine; needs root, and this machine's own architecture. */
export async function installSystem(folder: string, { included }: PackageChoice): Promise<void> {
  await execa(
    "mmdebstrap",
    [
      "--variant=minbase",
      "--mode=root",
      "--format=directory",
      "--components=main",
      `--include=${included.join(",")}`,
      suite,
      folder,
      `${mirror}/debian`,
    ],
    { stdin: "ignore" },
  );
  // mmdebstrap copies these two from the machine that it runs on.
  await writeFile(join(folder, "etc/resolv.conf"), "");
  await writeFile(join(folder, "etc/hosts"), "127.0.0.1 localhost\n");
}

/**
 * Upgrades packages of an installed system in its place, by its own apt, from Debian's security archive. Returns all
 * that changed.
 */
export async function upgradeSystem(folder: string, names: readonly string[]): Promise<readonly Upgrade[]> {
  const at = (path: string) => join(folder, path);
  const sources = at("etc/apt/sources.list.d/upgrade.list");
  const before = await versions(folder);
  await mkdir(at("etc/apt/sources.list.d"), { recursive: true });
  await writeFile(
    sources,
    `deb ${mirror}/debian-security ${suite}-security main\ndeb ${mirror}/debian ${suite}-updates main\n`,
  );
  // Packages must not start services: invoke-rc.d(8) asks this file.
  await writeFile(at("usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  await writeFile(at("etc/resolv.conf"), await readFile("/etc/resolv.conf"));
  try {
    await inside(folder, ["apt-get", "update", "--quiet"]);
    await inside(folder, ["apt-get", "install", "--yes", "--quiet", "--only-upgrade", ...names]);
    await inside(folder, ["apt-get", "clean"]);
  } finally {
    await writeFile(at("etc/resolv.conf"), "");
    await rm(at("usr/sbin/policy-rc.d"));
    await rm(sources);
  }
  await rm(at("var/lib/apt/lists"), { recursive: true });
  return [...(await versions(folder))].flatMap(([name, to]) => {
    const from = before.get(name);
    return from === undefined || from === to ? [] : [{ name, from, to }];
  });
}

/** Runs a program in the system; what it leaves running ends with it. */
async function inside(folder: string, command: readonly string[]): Promise<void> {
  const apart = ["--mount", "--pid", "--fork", "--kill-child", `--mount-proc=${join(folder, "proc")}`];
  await execa("unshare", [...apart, "chroot", folder, ...command], {
    stdin: "ignore",
    extendEnv: false,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
  });
}

async function versions(folder: string): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await execa("dpkg-query", [
    `--admindir=${join(folder, "var/lib/dpkg")}`,
    "--show",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own
    "--showformat=${Package} ${Version}\\n",
  ]);
  return new Map(stdout.split("\n").map((line) => line.split(" ") as [string, string]));
}
