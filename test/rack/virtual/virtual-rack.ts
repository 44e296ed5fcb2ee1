import { readFile } from "node:fs/promises";
import { createRack, type Rack, type RackOptions } from "../rack.ts";
import type { VirtualArtefacts } from "./artefacts.ts";
import { startDnsmasq } from "./dnsmasq.ts";
import { startGanesha } from "./ganesha.ts";
import { createVirtualBoard, type VirtualBoard, virtualMac } from "./virtual-board.ts";

const MiB = 1024 * 1024;

/** What a rack of virtual Pis is made of. */
export interface VirtualRackOptions extends Pick<RackOptions, "nodes" | "settings" | "socket"> {
  readonly artefacts: VirtualArtefacts;
  /** Size of every card: a power of two. Default 512 MiB. */
  readonly cardBytes?: number;
}

/** A rack whose boards are virtual Pis. */
export type VirtualRack = Rack & { readonly virtualBoards: readonly VirtualBoard[] };

/** Builds a rack of virtual Pis with real DHCP and NFS on its network, and starts its controller; boards are off. */
export async function createVirtualRack(options: VirtualRackOptions): Promise<VirtualRack> {
  const { artefacts, nodes, cardBytes = 512 * MiB } = options;
  const virtualBoards: VirtualBoard[] = [];
  const rack = await createRack({
    nodes,
    ...(options.socket !== undefined && { socket: options.socket }),
    agentBoot: { kernel: await readFile(artefacts.kernel), initrd: await readFile(artefacts.initrd) },
    settings: {
      bootProfile: {
        agent: {
          kernel: "agent/vmlinuz",
          initrd: "agent/initrd.img",
          append: [
            "console=ttyAMA0,115200",
            "root=/dev/nfs",
            `nfsroot=10.77.0.1:${artefacts.rootfs},vers=3`,
            "ip=dhcp",
            "ro",
          ],
        },
        local: { append: ["console=ttyAMA0,115200", "panic=10"] },
      },
      ...options.settings,
    },
    async prepareNetwork(network, folder) {
      const hosts = Array.from({ length: nodes }, (_, index) => ({
        mac: virtualMac(index + 1),
        address: `10.77.0.${11 + index}`,
      }));
      const stopDnsmasq = await startDnsmasq(network, folder, hosts);
      const stopGanesha = await startGanesha(network, folder, artefacts.rootfs);
      return async () => {
        await stopGanesha();
        await stopDnsmasq();
      };
    },
    async makeBoard(network, number, folder) {
      const board = await createVirtualBoard(network, number, folder, { uBoot: artefacts.uBoot, cardBytes });
      virtualBoards.push(board);
      return board;
    },
  });
  return { ...rack, virtualBoards };
}
