import { Failure } from "../../../proto/failure.ts";
import { maxFirmwareItems } from "../../../proto/operation/operation-limits.ts";
import type { DiskFirmware } from "../../../proto/operation/operation-spec.ts";
import type { Image, Partition } from "../../images/catalogue/image.ts";
import { boardFirmwareOf, bootRomFile } from "../../nodes/board-firmware.ts";

/**
 * What happens to the firmware on a card that is written: `auto` renames it on boards that look at the card before the
 * network, and keeps it on others; the rest does the same on every board.
 */
export const cardFirmwarePolicies = ["auto", "rename", "reformat", "keep"] as const;
export type CardFirmwarePolicy = (typeof cardFirmwarePolicies)[number];

/**
 * How the agent has to keep a board's firmware from booting this image; undefined when it need not. Every FAT partition
 * counts, not only the one that the image itself boots from: boot ROMs continue to the next one.
 *
 * @param model as the board's device tree names it; empty when it names none
 * @throws Failure `unsupported` when the image has more FAT partitions than an agent takes
 */
export function planDiskFirmware(policy: CardFirmwarePolicy, model: string, image: Image): DiskFirmware | undefined {
  const action = actionOn(policy, model);
  const partitions = fatPartitions(image).map(({ offsetBytes, lengthBytes }) => ({ offsetBytes, lengthBytes }));
  if (action === "keep" || partitions.length === 0) return undefined;
  const tooMany = tooManyPartitions(image);
  if (tooMany !== undefined) throw tooMany;
  return { action, partitions, files: action === "rename" ? boardFirmwareOf(model).files : [] };
}

function actionOn(policy: CardFirmwarePolicy, model: string): DiskFirmware["action"] | "keep" {
  if (policy !== "auto") return policy;
  return boardFirmwareOf(model).cardFirst ? "rename" : "keep";
}

function tooManyPartitions(image: Image): Failure | undefined {
  const count = fatPartitions(image).length;
  if (count <= maxFirmwareItems) return undefined;
  return new Failure(
    "unsupported",
    `image ${image.name} has ${count} FAT partitions, and firmware can be kept from booting on at most ` +
      `${maxFirmwareItems}; set bootProfile.cardFirmware to keep`,
    { expected: `at most ${maxFirmwareItems}`, found: `${count}` },
  );
}

/** What a plan says about firmware on the card. */
export interface FirmwareSentences {
  /** What is done to the card, beside the other steps. */
  readonly step?: string;
  /** What the operator should know. */
  readonly note?: string;
  /** Why it cannot be done. */
  readonly refusal?: Failure;
}

/** The same for people. `model` is undefined while the node has not told it. */
export function describeDiskFirmware(
  policy: CardFirmwarePolicy,
  node: { readonly name: string; readonly model: string | undefined },
  image: Image,
): FirmwareSentences {
  const partitions = fatPartitions(image);
  const where = `partition${partitions.length === 1 ? "" : "s"} ${partitions.map(({ number }) => number).join(", ")}`;
  if (partitions.length === 0) return {};
  if (node.model === undefined && policy === "auto")
    return {
      step: `If the board turns out to try its card before the network (Pi 2, Pi 3): rename what it boots from on ${where}.`,
    };
  const model = node.model ?? "";
  const refusal = actionOn(policy, model) === "keep" ? undefined : tooManyPartitions(image);
  if (refusal !== undefined) return { refusal };
  const firmware = planDiskFirmware(policy, model, image);
  if (firmware?.action === "reformat")
    return { step: `Make ${where} an empty FAT filesystem, so that the board's own firmware does not boot the card.` };
  const { cardFirst, asksOn } = boardFirmwareOf(model);
  if (firmware !== undefined) {
    const kept = asksOn === undefined ? "" : ` ${asksOn} stays: it goes on asking the network while nobody answers.`;
    return {
      step: `Rename ${firmware.files.join(", ")} on ${where}, if present, so that the board's own firmware does not boot the card.${kept}`,
    };
  }
  if (!cardFirst) return {};
  return {
    note:
      `${node.name} (${model}) tries its card before the network, and bootProfile.cardFirmware is keep: if ` +
      `${image.name} contains ${bootRomFile}, the card decides what the node boots until someone removes the card by hand`,
  };
}

function fatPartitions({ partitions }: Image): readonly Partition[] {
  return partitions.filter(({ filesystemType }) => filesystemType === "vfat");
}
