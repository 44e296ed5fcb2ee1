import { createHash } from "node:crypto";
import path from "node:path";
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
  /** What `controller rootfs build` makes to boot it with. */
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
  const rootfs = await buildRootfs({
    outDirectory: cache("virtual/rootfs"),
    cacheDirectory: cache("rootfs"),
    agentFile: agent.file,
    log,
    signal,
  });
  log("U-Boot for QEMU's virt machine");
  const uBoot = await provideUBoot("qemu_arm64", {
    cacheDirectory: cache("boot-tree"),
    suite: "bookworm",
    mirror: "http://deb.debian.org/debian",
    refresh: false,
    log,
    signal,
  });
  const key = createHash("sha256").update(JSON.stringify(rootfs.manifest)).digest("hex").slice(0, 32);
  return {
    uBoot: uBoot.binaryPath,
    rootfs: withShell ? await provideTestRootfs(cache("virtual"), rootfs.rootFolder, key) : rootfs.rootFolder,
    kernel: rootfs.kernelPath,
    initrd: rootfs.initrdPath,
  };
}
