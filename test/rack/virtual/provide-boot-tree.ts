import path from "node:path";
import { buildBootTree } from "../../../controller/boot-tree/build-boot-tree.ts";
import { checkout } from "../checkout.ts";
import type { VirtualArtefacts } from "./artefacts.ts";

/** Makes the folder what `controller boot-tree build` makes for 64-bit Pis of what `controller rootfs build` made. */
export async function provideBootTree(outDirectory: string, artefacts: Pick<VirtualArtefacts, "built">): Promise<void> {
  await buildBootTree({
    outDirectory,
    cacheDirectory: path.join(checkout, ".cache/boot-tree"),
    targets: ["rpi_arm64"],
    rootfsDirectory: artefacts.built,
    bits: 64,
    overwrite: false,
    suite: "bookworm",
    mirror: "http://deb.debian.org/debian",
    refresh: false,
    log: () => {},
  });
}
