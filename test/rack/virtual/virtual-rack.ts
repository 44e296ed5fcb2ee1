import path from "node:path";
import { createDocumentedMachine, type DocumentedMachine } from "../documented/documented-machine.ts";
import type { Network } from "../network.ts";
import { createRack, type Rack, type RackOptions } from "../rack.ts";
import { addTestShell } from "./add-test-shell.ts";
import type { VirtualArtefacts } from "./artefacts.ts";
import { createVirtualBoard, type VirtualBoard } from "./virtual-board.ts";

const MiB = 1024 * 1024;

/** What a rack of virtual Pis is made of. */
export interface VirtualRackOptions extends Pick<RackOptions, "nodes" | "settings"> {
  readonly artefacts: VirtualArtefacts;
  /** Size of every card: a power of two. Default 512 MiB. */
  readonly cardBytes?: number;
  /** Whether netbooted nodes have the tests' way in; see add-test-shell.ts. Default false. */
  readonly withShell?: boolean;
  /** Folder of the controller's socket; default: one in the rack's folder. */
  readonly runDirectory?: string;
  /** Changes the machine's /var/lib/pallet, of which it is given the path, before the controller starts. */
  readonly prepare?: (stateDirectory: string) => Promise<void>;
  /** Makes board number 1 and so on, switched off; default: QEMU's "virt" machine with U-Boot. */
  readonly makeBoard?: (network: Network, number: number, folder: string) => Promise<VirtualBoard>;
}

/** A rack whose boards are virtual Pis. */
export interface VirtualRack extends Rack {
  readonly virtualBoards: readonly VirtualBoard[];
  readonly machine: DocumentedMachine;
}

/**
 * Builds a rack of virtual Pis on a management machine that is set up as the documentation says, and starts its
 * controller; boards are off. `settings` are added to the documented configuration: for what only few users set.
 */
export async function createVirtualRack(options: VirtualRackOptions): Promise<VirtualRack> {
  const { artefacts, nodes, settings, cardBytes = 512 * MiB, withShell = false, runDirectory } = options;
  const { makeBoard = (...place) => createVirtualBoard(...place, { uBoot, cardBytes }) } = options;
  const { built, cache, uBoot } = artefacts;
  const virtualBoards: VirtualBoard[] = [];
  const machines: DocumentedMachine[] = [];
  const rack = await createRack({
    nodes,
    async makeMachine(folder) {
      const machine = await createDocumentedMachine(folder, {
        built,
        cache,
        ...(settings !== undefined && { settings }),
        ...(runDirectory !== undefined && { runDirectory }),
        async prepare(state) {
          if (withShell) await addTestShell(path.join(state, "rootfs/current/root"));
          await options.prepare?.(state);
        },
      });
      machines.push(machine);
      return machine;
    },
    async makeBoard(network, number, folder) {
      const board = await makeBoard(network, number, folder);
      virtualBoards.push(board);
      return board;
    },
  });
  const [machine] = machines;
  if (machine === undefined) throw new Error("a rack without a management machine");
  return { ...rack, virtualBoards, machine };
}
