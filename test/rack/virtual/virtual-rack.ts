import { readFile } from "node:fs/promises";
import { createRack, type Rack, type RackOptions } from "../rack.ts";
import type { VirtualArtefacts } from "./artefacts.ts";
import { createVirtualBoard, type VirtualBoard } from "./virtual-board.ts";

const MiB = 1024 * 1024;

/** What a rack of virtual Pis is made of. */
export interface VirtualRackOptions extends Pick<RackOptions, "nodes" | "settings" | "socket"> {
  readonly artefacts: VirtualArtefacts;
  /** Size of every card: a power of two. Default 512 MiB. */
  readonly cardBytes?: number;
}

/** A rack whose boards are virtual Pis. */
export type VirtualRack = Rack & { readonly virtualBoards: readonly VirtualBoard[] };

/**
 * Builds a rack of virtual Pis and starts its controller, which runs dnsmasq and nfs-ganesha for them; boards are off.
 */
export async function createVirtualRack(options: VirtualRackOptions): Promise<VirtualRack> {
  const { artefacts, nodes, cardBytes = 512 * MiB } = options;
  const virtualBoards: VirtualBoard[] = [];
  const rack = await createRack({
    nodes,
    ...(options.socket !== undefined && { socket: options.socket }),
    agentBoot: { kernel: await readFile(artefacts.kernel), initrd: await readFile(artefacts.initrd) },
    settings: {
      dhcp: { mode: "server", interface: "rack", range: ["10.77.0.11", "10.77.0.250"] },
      nfs: { mode: "ganesha", rootfs: artefacts.rootfs },
      ...options.settings,
    },
    async makeBoard(network, number, folder) {
      const board = await createVirtualBoard(network, number, folder, { uBoot: artefacts.uBoot, cardBytes });
      virtualBoards.push(board);
      return board;
    },
  });
  return { ...rack, virtualBoards };
}
