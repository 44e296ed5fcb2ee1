import assert from "node:assert/strict";
import { checkoutCache } from "../../../controller/artefacts/checkout-cache.ts";
import { buildSystemImage, type SystemImage, type Variant } from "../../../scripts/systemd-image/build-system-image.ts";
import { provideVirtualArtefacts } from "../../rack/virtual/artefacts.ts";
import { createPi3Board } from "../../rack/virtual/pi3-board.ts";
import { createVirtualBoard, type VirtualBoard } from "../../rack/virtual/virtual-board.ts";
import { createVirtualRack, type VirtualRack } from "../../rack/virtual/virtual-rack.ts";
import type { Running } from "./power-cycle.ts";

const MiB = 1024 * 1024;
/** Twice the size of the image, so that its root can grow. */
const cardBytes = 1024 * MiB;

/** A rack for one system image: a virtual Pi, and an emulated Pi 3 that has its MAC and its card. */
export interface SystemRack extends VirtualRack {
  readonly first: VirtualBoard;
  readonly pi3: VirtualBoard;
  readonly image: SystemImage;
  readonly running: Running;
}

/** Builds the image and the rack, with the image added; the boards are off. The caller closes it. */
export async function createSystemRack(variant: Variant): Promise<SystemRack> {
  const [image, artefacts] = await Promise.all([
    buildSystemImage({ cacheDirectory: checkoutCache("system-image"), variant }),
    provideVirtualArtefacts(),
  ]);
  const made: VirtualBoard[] = [];
  const rack = await createVirtualRack({
    nodes: 2,
    artefacts,
    withShell: true,
    async makeBoard(network, number, folder) {
      const [first] = made;
      const board =
        first === undefined
          ? await createVirtualBoard(network, number, folder, { uBoot: artefacts.uBoot, cardBytes })
          : await createPi3Board(network, number, folder, { mac: first.mac, card: first.card });
      made.push(board);
      return board;
    },
  });
  const [first, pi3] = made;
  assert.ok(first !== undefined && pi3 !== undefined);
  try {
    await rack.palletOk("images", "add", image.imagePath, "--name", variant);
  } catch (error) {
    await rack.close();
    throw error;
  }
  return { ...rack, first, pi3, image, running: { imageName: variant, imageDigest: image.digest } };
}
