import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { cacheEntry } from "../../../controller/artefacts/cache-entry.ts";
import { forgetOldest } from "../../../controller/artefacts/forget-oldest.ts";
import { provideUBoot } from "../../../controller/boot-tree/provide-u-boot.ts";
import { buildRootfs } from "../../../controller/rootfs/build-rootfs.ts";
import { buildBinaries } from "../../../scripts/binaries/build-binaries.ts";
import { checkout } from "../checkout.ts";
import { provideTestRootfs } from "./test-rootfs.ts";

/** Everything that a virtual Pi boots, all of it in .cache and the same that real Pis get. */
export interface VirtualArtefacts {
  /** Path of U-Boot for QEMU's virt machine. */
  readonly uBoot: string;
  /** Folder to export. */
  readonly rootfs: string;
  /** Folder of what `controller rootfs build` made, for `controller boot-tree build`. */
  readonly built: string;
  /** What it made to boot the root filesystem with. */
  readonly kernel: string;
  readonly initrd: string;
}

/** Builds what is not in the cache yet: two minutes from nothing. `withShell` adds the tests' way in; see test-rootfs.ts. */
export async function provideVirtualArtefacts(options: {
  readonly withShell: boolean;
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal;
}): Promise<VirtualArtefacts> {
  const { withShell, log = () => {}, signal } = options;
  const cache = (name: string) => path.join(checkout, ".cache", name);
  log("agent for arm64 as a single program");
  const binaries = await buildBinaries({
    repository: checkout,
    outputDirectory: path.join(checkout, "dist"),
    cacheDirectory: cache("binaries"),
  });
  const agent = binaries.find(({ program, architecture }) => program === "agent" && architecture === "arm64");
  if (agent === undefined) throw new Error("build-binaries makes no agent for arm64");
  log("root filesystem of netbooted nodes");
  const key = await digestOf(path.join(checkout, "controller/rootfs"), agent.digest);
  // A folder for each content: what a running Pi has mounted is never replaced.
  const rootfs = await cacheEntry(cache("virtual"), `rootfs-${key}`, async (outDirectory) => {
    await buildRootfs({ outDirectory, cacheDirectory: cache("rootfs"), agentFile: agent.file, log, signal });
  });
  await forgetOldest(cache("virtual"), "rootfs-", rootfs);
  const root = path.join(rootfs, "root");
  log("U-Boot for QEMU's virt machine");
  const uBoot = await provideUBoot("qemu_arm64", {
    cacheDirectory: cache("boot-tree"),
    suite: "bookworm",
    mirror: "http://deb.debian.org/debian",
    refresh: false,
    log,
    signal,
  });
  return {
    uBoot: uBoot.binaryPath,
    rootfs: withShell ? await provideTestRootfs(cache("virtual"), root, key) : root,
    built: rootfs,
    kernel: path.join(rootfs, "vmlinuz"),
    initrd: path.join(rootfs, "initrd.img"),
  };
}

/** Of everything in a folder, and of the words. */
async function digestOf(folder: string, ...words: readonly string[]): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const hash = createHash("sha256").update(JSON.stringify(words));
  for (const file of files.toSorted()) hash.update(path.relative(folder, file)).update(await readFile(file));
  return hash.digest("hex").slice(0, 32);
}
