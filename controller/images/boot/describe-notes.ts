import type { Image, ImageNote } from "../catalogue/image.ts";
import { rootPartitionOf } from "../catalogue/image.ts";
import { needsOwnFiles } from "../catalogue/kernel-needs.ts";
import type { OwnSettings } from "../catalogue/own-settings.ts";
import { nameBoards } from "../catalogue/pi-board.ts";
import { type FirstBootTask, firstBootTaskOf } from "./first-boot-words.ts";

/** An image, as far as the sentences speak of it. */
export type NotedImage = Pick<Image, "name" | "partitions" | "rootPartition" | "boot">;

/**
 * What each first-boot word makes an image do. All of these programs are in the image itself; all but "systemd-run" give
 * the disk another id. Which words are passed on is decided in controller/boot/choose-first-boot-words.ts.
 */
const tasks: Readonly<Record<FirstBootTask, string>> = {
  resize: "its initrd grows the root partition and gives the disk another id",
  firstboot: "it grows its root, makes SSH host keys, applies custom.toml, gives the disk another id and restarts",
  "init-resize": "it grows the root partition, gives the disk another id and restarts",
  "systemd-run": "systemd runs a script instead of the system, as Raspberry Pi Imager's firstrun.sh, and restarts",
};

/** The sentence of each kind of note. */
const sentences: Readonly<Record<string, (detail: string, image: NotedImage) => string | undefined>> = {
  "cloud-init": (names) =>
    `cloud-init applies ${names} from the firmware partition at each node's first boot, the same on every node`,
  "cloud-init-off": (names) =>
    `the word cloud-init=disabled of its command line keeps cloud-init from applying ${names}: remove it from the image`,
  "cloud-init-lacking": (names) =>
    `${names} on the firmware partition has no effect: the image has no cloud-init; install it in the image`,
  "custom-toml": (_, image) =>
    isFirstBootPassedOn(image) && taskOf(image).has("firstboot")
      ? "custom.toml is applied in that first boot"
      : "custom.toml is not applied: only Raspberry Pi OS's own firstboot reads it, and it does not run. Make the settings " +
        "in the image, or by cloud-init",
  "applied-by-services": (names) =>
    `${names} on the firmware partition is applied by the system itself when it starts from the card, as without Pallet`,
  autoboot: () =>
    "autoboot.txt has no effect: which partition boots is decided by the controller, so the image's own A/B update " +
    "(tryboot) does not switch systems",
  "two-systems": (numbers, { rootPartition }) =>
    `partitions ${numbers} hold a complete system each: nodes always boot the one in partition ${rootPartition}, and an ` +
    "update that switches between them (A/B) has no effect",
  "skipped-files": (names) =>
    `left out of the boot files, because a boot config cannot carry such names or there are too many: ${names}`,
  "config-txt": (names, image) =>
    isBootedByFirmware(image)
      ? undefined
      : `${names} of its config.txt have no effect on boards where U-Boot loads its kernel (Pi 2 to 4): the device tree ` +
        "there is the one that belongs to the boot tree",
};

/**
 * What an operator should know of an image besides its numbers, a sentence each: how its own boot files count, and what
 * of its own first boot will happen and what will not.
 */
export function describeNotes(image: NotedImage): readonly string[] {
  const { boot } = image;
  return [
    ...describeFirmware(image),
    ...describeFirstBoot(image),
    ...(boot.notes ?? []).flatMap((note) => describe(note, image) ?? []),
    ...ownSettingsThatCount(image).map(
      ({ file, sets }) => `${file} sets ${sets.join(", ")}: a profile that says something of these, too, is refused`,
    ),
  ];
}

/** The settings of an image that are applied at a first boot of a node. */
export function ownSettingsThatCount(image: NotedImage): readonly OwnSettings[] {
  const tasks = isFirstBootPassedOn(image) ? taskOf(image) : new Set<string>();
  return (image.boot.ownSettings ?? []).filter(
    ({ reader }) => reader === "cloud-init" || reader === "rpi-preseed" || tasks.has(reader),
  );
}

function describe({ kind, detail = "" }: ImageNote, image: NotedImage): string | undefined {
  return Object.hasOwn(sentences, kind) ? sentences[kind]?.(detail, image) : undefined;
}

function describeFirmware(image: NotedImage): readonly string[] {
  const { firmware, kernelFormat } = image.boot;
  if (firmware === undefined || !isBootedByFirmware(image)) return [];
  const boards = nameBoards(firmware.boots.flatMap((boot) => boot.boards));
  const own = `the firmware of a ${boards} boots it by the image's own config.txt, device trees and overlays`;
  if (kernelFormat !== "arm32-zimage") return [own];
  return [
    `its kernel is a 32-bit one, which U-Boot cannot start; ${own}`,
    "no resident agent runs in a 32-bit system: reimage it with --no-resident; its proof is a weak one",
  ];
}

function describeFirstBoot(image: NotedImage): readonly string[] {
  const words = (image.boot.firstBootWords ?? []).filter((word) => firstBootTaskOf(word) !== undefined);
  if (words.length === 0) return [];
  const found = [...taskOf(image)];
  const done = found.map((task) => tasks[task]).join("; ");
  const later = found.every((task) => task === "systemd-run") ? "" : ". The later boots follow the new id";
  const said = words.map((word) => `"${word}"`).join(" ");
  if (isFirstBootPassedOn(image)) return [`${said} is passed on at the first boot from the card only: ${done}${later}`];
  return [
    `${said} is not passed on, since its kernel finds the root by the disk's id, which this would change. So this does ` +
      `not happen: ${done}. Make these settings in the image`,
  ];
}

function taskOf({ boot }: NotedImage): ReadonlySet<FirstBootTask> {
  return new Set((boot.firstBootWords ?? []).map(firstBootTaskOf).filter((task) => task !== undefined));
}

/** Whether the root is named by its filesystem's UUID, which a first boot leaves as it is. */
function isFirstBootPassedOn(image: NotedImage): boolean {
  return image.boot.initrd !== undefined && rootPartitionOf(image).uuid !== "";
}

/** Whether the board's firmware loads the kernel wherever it can, by the image's own files: `chooseWay`. */
function isBootedByFirmware({ boot }: NotedImage): boolean {
  return needsOwnFiles(boot) && (boot.firmware?.boots.length ?? 0) > 0;
}
