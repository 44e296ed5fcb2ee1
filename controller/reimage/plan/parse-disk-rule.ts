import type { BlockDevice } from "../../../proto/disk/block-device.ts";
import { isCard } from "../../../proto/disk/disk-kind.ts";
import { parseSize } from "../../../proto/disk/parse-size.ts";

/** Whether a whole disk is one that the operator means. */
export type DiskRule = (disk: BlockDevice) => boolean;

const kinds: Readonly<Record<string, DiskRule>> = {
  sd: isCard,
  nvme: ({ transport, name }) => transport === "nvme" || (transport === "" && /^nvme\d+n\d+$/.test(name)),
  usb: ({ transport }) => transport === "usb",
};

/** How rules are written, for people. */
export const diskRuleForms = "sd, nvme, usb, serial=TEXT, model=TEXT, size>64GB, size<1TB, or several with commas";

/**
 * Reads a rule for the disk of a node: conditions with commas between them, all of which must hold. `sd` is an SD card or
 * an eMMC; serial and model are compared whole, without spaces around them; sizes have a unit. Undefined for what is no
 * rule, as a path is none.
 */
export function parseDiskRule(text: string): DiskRule | undefined {
  const conditions = text.split(",").map((condition) => parseCondition(condition.trim()));
  if (conditions.some((condition) => condition === undefined)) return undefined;
  return (disk) => conditions.every((condition) => condition?.(disk));
}

function parseCondition(text: string): DiskRule | undefined {
  if (Object.hasOwn(kinds, text)) return kinds[text];
  const [, name, sign, value = ""] = /^(serial|model|size)([=<>])(.+)$/.exec(text) ?? [];
  if (name === "size" && sign !== "=") {
    const bytes = parseSize(value.trim());
    if (bytes === undefined) return undefined;
    return ({ sizeBytes }) => (sign === ">" ? sizeBytes > bytes : sizeBytes < bytes);
  }
  if (sign !== "=" || value.trim() === "") return undefined;
  if (name === "serial") return ({ serial }) => serial.trim() === value.trim();
  if (name === "model") return ({ model }) => model.trim() === value.trim();
  return undefined;
}
