import type { DebianPackage } from "./debian-package.ts";
import { planDocuments } from "./documents.ts";
import { fillScripts } from "./scripts.ts";

/** What the rack's package is made of. */
export interface RackParts {
  readonly version: string;
  /** Path of the packed root filesystem. */
  readonly rootfs: string;
  /** Files of the boot tree, by their paths in it. */
  readonly bootTree: ReadonlyMap<string, string>;
  readonly copyright: string;
  /** Compressed. */
  readonly changelog: Uint8Array;
  /** Maintainer scripts and overrides of lintian, by file name. */
  readonly texts: Readonly<Record<string, string>>;
}

const rackFolder = "/usr/share/pallet/rack";

/** The package pallet-rack: for every management machine, as what it holds is the boards'. */
export function planRackPackage({ version, rootfs, bootTree, copyright, changelog, texts }: RackParts): DebianPackage {
  return {
    name: "pallet-rack",
    version,
    architecture: "all",
    summary: "what the boards of a Pallet rack boot over the network",
    description: [
      "Pallet turns a crate of blank Raspberry Pis, a switch and one management machine into a datacenter that nobody has " +
        "to touch.",
      "This package has what its boards netboot into, ready to serve: firmware, a U-Boot that boots only over the network, a " +
        "kernel, and a root filesystem with the agent. An upgrade adds a version of it: boards that run keep the one that " +
        "they booted with.",
    ],
    // An older controller may not know what is in it.
    depends: [`pallet-controller (>= ${version})`],
    holds: "compressed",
    files: [
      { path: `${rackFolder}/rootfs.tar.zst`, content: { file: rootfs } },
      ...[...bootTree].map(([name, file]) => ({ path: `${rackFolder}/boot/${name}`, content: { file } })),
      { path: "/usr/share/doc/pallet-rack/copyright", content: { text: copyright } },
      ...planDocuments("pallet-rack", { changelog, overrides: texts["rack.overrides"] }),
    ],
    scripts: fillScripts("rack", texts, {}),
  };
}
