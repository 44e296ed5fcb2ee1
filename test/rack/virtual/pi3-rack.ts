import { createRack, type Rack, type RackOptions } from "../rack.ts";
import { createScratchFolder } from "../scratch-folder.ts";
import type { VirtualArtefacts } from "./artefacts.ts";
import { createPi3Board } from "./pi3-board.ts";
import { provideBootTree } from "./provide-boot-tree.ts";
import type { VirtualBoard } from "./virtual-board.ts";

const MiB = 1024 * 1024;

/** A rack of one emulated Pi 3. */
export type Pi3Rack = Rack & { readonly pi3: VirtualBoard };

/**
 * Builds a rack of one emulated Pi 3, its card blank, and starts the controller under its default settings on the boot
 * tree that `controller boot-tree build` makes; the board is off. `rootfs` is what NFS exports, default the artefacts'.
 */
export async function createPi3Rack(
  options: Pick<RackOptions, "settings"> & { readonly artefacts: VirtualArtefacts; readonly rootfs?: string },
): Promise<Pi3Rack> {
  const { artefacts, rootfs = artefacts.rootfs, settings } = options;
  const bootTree = await createScratchFolder("pallet-pi3-boot-");
  try {
    await provideBootTree(bootTree.path, artefacts);
    let pi3: VirtualBoard | undefined;
    const rack = await createRack({
      nodes: 1,
      settings: {
        bootTree: bootTree.path,
        dhcp: { mode: "server", interface: "rack", range: ["10.77.0.11", "10.77.0.250"] },
        nfs: { mode: "ganesha", rootfs },
        ...settings,
      },
      async makeBoard(network, number, folder) {
        pi3 = await createPi3Board(network, number, folder, { card: 512 * MiB });
        return pi3;
      },
    });
    if (pi3 === undefined) throw new Error("the rack has made no board");
    const close = async (): Promise<void> => {
      await rack.close();
      await bootTree.remove();
    };
    return { ...rack, pi3, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await bootTree.remove();
    throw error;
  }
}
