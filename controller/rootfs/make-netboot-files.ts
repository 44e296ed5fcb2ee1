import { copyFile, lstat, mkdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { buildInitramfs } from "./build-initramfs.ts";
import { moduleReleases, openForeignModules } from "./copy-foreign-modules.ts";
import { readKernelRelease } from "./read-kernel-release.ts";
import { type RootTree, rootTree } from "./root-tree.ts";
import { describeFile, type NetbootManifest } from "./rootfs-manifest.ts";
import { selectNetworkModules } from "./select-network-modules.ts";

/** A root filesystem that someone else built, and the kernel that belongs to it. */
export interface NetbootRequest {
  readonly rootFolder: string;
  readonly kernelPath: string;
  /**
   * Paths of the device trees that belong to the kernel; those of the root filesystem are taken where there are none.
   */
  readonly deviceTrees: readonly string[];
  /** `provideInitramfsTools`: called when it is known that the kernel serves. */
  readonly initramfsTools: () => Promise<string>;
  /** Exists; gets vmlinuz, initrd.img and device-trees/. */
  readonly outFolder: string;
}

/** What was made, as a manifest says it; and what this kernel cannot do, a sentence each. */
export interface NetbootFiles {
  readonly manifest: Pick<NetbootManifest, "kernelRelease" | "rootModules" | "initrdModules" | "kernel" | "initrd">;
  readonly notes: readonly string[];
}

/**
 * Makes what nodes need besides a root filesystem to netboot into it: its own kernel, our initrd with the
 * modules of that kernel, and its device trees. Nothing of the root is run.
 *
 * Throws Failure "unsupported" when the kernel, or what is there of its modules, cannot have its root on the network.
 */
export async function makeNetbootFiles(request: NetbootRequest): Promise<NetbootFiles> {
  const { rootFolder, kernelPath, outFolder } = request;
  const tree = rootTree(rootFolder);
  const kernelRelease = await readKernelRelease(kernelPath, basename(kernelPath));
  const rootModules = await moduleReleases(tree);
  if (!rootModules.includes(kernelRelease))
    throw new Failure(
      "unsupported",
      `the system lacks the modules of its own kernel, so nodes cannot netboot into it`,
      {
        expected: `/lib/modules/${kernelRelease}`,
        found: rootModules.length === 0 ? "no modules at all" : rootModules.join(", "),
      },
    );
  const foreign = await openForeignModules(tree, rootFolder, kernelRelease);
  const { modules, lacking, withoutEthernet } = selectNetworkModules(foreign.index);
  if (lacking.length > 0)
    throw new Failure(
      "unsupported",
      `the system's kernel ${kernelRelease} cannot mount its root over the network: it lacks ${lacking.join(", ")}`,
    );

  const modulesBase = join(outFolder, "modules");
  await foreign.copy(modules, modulesBase);
  await writeFile(join(outFolder, "initrd.img"), await buildInitramfs(await request.initramfsTools(), modulesBase));
  await rm(modulesBase, { recursive: true });
  await copyFile(kernelPath, join(outFolder, "vmlinuz"));
  const given = request.deviceTrees.filter((path) => path.endsWith(".dtb"));
  const deviceTrees = given.length > 0 ? given : await ownDeviceTrees(tree, rootFolder, kernelRelease);
  await mkdir(join(outFolder, "device-trees"));
  for (const path of deviceTrees) await copyFile(path, join(outFolder, "device-trees", basename(path)));
  return {
    manifest: {
      kernelRelease,
      rootModules,
      initrdModules: kernelRelease,
      kernel: await describeFile(join(outFolder, "vmlinuz")),
      initrd: await describeFile(join(outFolder, "initrd.img")),
    },
    notes: [
      ...withoutEthernet.map((board) => `kernel ${kernelRelease} has no driver for the Ethernet of a ${board}`),
      ...(deviceTrees.length === 0
        ? ["the system has no device trees: boards use those loaded by their firmware"]
        : []),
    ],
  };
}

/** Where Debian's kernel package has them. */
async function ownDeviceTrees(tree: RootTree, rootFolder: string, release: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of [`/usr/lib/linux-image-${release}/broadcom`, `/boot/dtbs/${release}/broadcom`])
    for (const name of await tree.list(folder)) {
      const end = /^bcm2\d+-rpi-.*\.dtb$/.test(name) ? await tree.resolve(`${folder}/${name}`) : undefined;
      if (end?.endsWith(`/${name}`) && (await lstat(join(rootFolder, end))).isFile()) found.push(join(rootFolder, end));
    }
  return found;
}
