import type { KernelFormat, KernelOrigin } from "../../../proto/words/kernel-kind.ts";
import { describeGrowth, forecastGrowth, type GrowthForecast } from "../../images/catalogue/plan-growth.ts";
import type { ImageView } from "../view/image-view.ts";
import { printable } from "./printable.ts";
import type { Look } from "./style.ts";
import { type Cell, renderFields, renderTable } from "./table.ts";
import { formatAge, formatBytes } from "./units.ts";

/** Shown if the catalogue is empty. */
export const noImages =
  "no images yet; add one with: controller images add FILE (.img, .img.gz, .img.xz, .img.zst or .zip)";

/** The images as a table; the digest in full or, if there is no room, not at all. */
export function renderImages(images: readonly ImageView[], look: Look, now: number): string[] {
  return renderTable(
    [
      { title: "NAME" },
      { title: "SYSTEM", shrinkTo: 12 },
      { title: "SIZE", align: "right" },
      { title: "STORED", align: "right", isOptional: true },
      { title: "DATA", align: "right", isOptional: true },
      { title: "ADDED", isOptional: true },
      { title: "DIGEST (SHA-256)", isOptional: true },
    ],
    images.map((image) => [
      image.name,
      image.operatingSystem ?? "",
      formatBytes(image.sizeBytes),
      formatBytes(image.storedBytes),
      image.pack === null ? "" : formatBytes(image.pack.dataBytes),
      formatAge(image.addedAt, now),
      image.digest,
    ]),
    look,
  );
}

/** One image with everything known about it. */
export function renderImage(image: ImageView, look: Look, now: number): string[] {
  const { boot, pack } = image;
  const fields: (readonly [string, Cell | string])[] = [
    ["name", image.name],
    ["system", image.operatingSystem ?? "unknown"],
    ["digest", image.digest],
    ["size", `${formatBytes(image.sizeBytes)} (${image.sizeBytes} bytes)`],
    ["stored", `${formatBytes(image.storedBytes)} (${image.storedBytes} bytes)`],
    ["added", image.addedAt === null ? "unknown" : `${image.addedAt} (${formatAge(image.addedAt, now)})`],
    ...describeCapture(image),
    ["table", image.partitionTable],
    ["root", `partition ${image.rootPartition}, ${describeGrowth(growthOf(image))}`],
  ];
  if (pack !== null)
    fields.push(
      ["data", `${formatBytes(pack.dataBytes)}, ${formatBytes(pack.fetchBytes)} to fetch`],
      ["zeros", `${formatBytes(pack.zeroBytes)}, not fetched; written only where the card differs`],
      ["unused", `${formatBytes(pack.unusedBytes)}, neither fetched nor written`],
      ["pack", `manifest ${pack.manifestDigest}, chunks of ${formatBytes(pack.chunkBytes)}`],
    );
  if (boot !== null)
    fields.push(
      ["kernel", describeKernel(boot)],
      ["initrd", boot.initrd ?? "none"],
      ...boot.firmwareBoots.map(describeFirmwareBoot),
      ["device trees", boot.deviceTrees.length === 0 ? "none" : boot.deviceTrees.join(" ")],
      ["command line", boot.commandLine],
      ...(boot.firstBootWords.length === 0 ? [] : [["first boot", boot.firstBootWords.join(" ")] as const]),
    );
  const partitions = renderTable(
    [
      { title: "PARTITION", align: "right" },
      { title: "START", align: "right" },
      { title: "SIZE", align: "right" },
      { title: "TYPE" },
      { title: "CONTENT" },
      { title: "LABEL" },
      { title: "PARTUUID" },
      { title: "" },
    ],
    image.partitions.map((partition) => [
      String(partition.number),
      formatBytes(partition.offsetBytes),
      formatBytes(partition.lengthBytes),
      partition.type,
      partition.filesystemType ?? "",
      partition.label ?? "",
      partition.partitionUuid ?? "",
      { text: partition.number === image.rootPartition ? "root" : "", style: "green" },
    ]),
    look,
  );
  return [...renderFields(fields, look), "", ...partitions, ...describeWhole(image), ...renderNotes(image)];
}

/** Where it was taken from, and what was left out. */
function describeCapture({ capture }: ImageView): readonly (readonly [string, string])[] {
  if (capture === null) return [];
  const how = capture.generalised ? ", generalised" : "";
  const removed = capture.removed.length === 0 ? "nothing" : capture.removed.map(printable).join(", ");
  return [
    ["made of", `${printable(capture.disk)} of ${printable(capture.node)}${how}`],
    ["removed", removed],
  ];
}

/** What was left out of an image of a disk, in lines. */
export function renderRemoved({ capture }: ImageView): string[] {
  if (capture === null) return [];
  if (capture.removed.length === 0) return ["nothing was removed from the copy"];
  return ["removed from the copy:", ...capture.removed.map((path) => `  ${printable(path)}`)];
}

function growthOf({ partitionTable, partitions, rootPartition, everything }: ImageView): GrowthForecast {
  return forecastGrowth({
    partitionTable: partitionTable === "gpt" ? "gpt" : "mbr",
    rootPartition,
    everything,
    partitions: partitions.map(({ number, offsetBytes, lengthBytes, filesystemType, countsWhole }) => ({
      number,
      offsetBytes,
      lengthBytes,
      filesystemType: filesystemType ?? "",
      ...(countsWhole !== null && { countsWhole }),
    })),
  });
}

/** The message for an image that was just added. */
export function renderAddedImage(image: ImageView): string[] {
  const name = `added ${printable(image.name)}: ${printable(image.operatingSystem ?? "unknown system")}`;
  return [
    `${name}, ${formatBytes(image.sizeBytes)}, stored in ${formatBytes(image.storedBytes)}`,
    `SHA-256 ${printable(image.digest)}`,
    ...(image.pack === null ? [] : [describeUse(image.pack)]),
    ...describeWhole(image),
    ...renderNotes(image),
  ];
}

/** Which partitions are sent whole although their filesystems have books, and why: a sentence each. */
function describeWhole({ partitions, everything, pack }: ImageView): string[] {
  if (pack?.onlyFree === false) {
    return [
      "an older Pallet packed it: nodes are not sent zeros outside of filesystems, nor what a block map left out; to have " +
        "them written, add the image again under another name",
    ];
  }
  if (everything) return ["added with --everything: nodes are sent every block, also those that filesystems call free"];
  return partitions.flatMap(({ number, countsWhole }) =>
    countsWhole === null
      ? []
      : [`nodes are sent all of partition ${number}, free blocks included: ${printable(countsWhole)}`],
  );
}

/** What to know of an image, a line each. */
function renderNotes({ notes }: ImageView): string[] {
  return notes.map((note) => `note: ${printable(note)}`);
}

const formatNames: Readonly<Record<KernelFormat, string>> = {
  "arm64-image": "64-bit",
  "arm64-image-gzip": "64-bit, gzipped",
  "arm32-zimage": "32-bit",
  "efi-zboot": "EFI zboot",
  unknown: "unknown format",
};
const originNames: Readonly<Record<KernelOrigin, string>> = {
  "raspberry-pi": "Raspberry Pi's own",
  upstream: "mainline",
  unknown: "unknown origin",
};

function describeKernel({ kernel, kernelFormat, kernelOrigin }: NonNullable<ImageView["boot"]>): string {
  if (kernelFormat === null || kernelOrigin === null) return kernel;
  return `${kernel} (${formatNames[kernelFormat]}; ${originNames[kernelOrigin]})`;
}

type FirmwareBootView = NonNullable<ImageView["boot"]>["firmwareBoots"][number];

function describeFirmwareBoot({ boards, kernel, kernelFormat, initrds }: FirmwareBootView): readonly [string, string] {
  const form = kernelFormat === null ? "" : ` (${formatNames[kernelFormat]})`;
  return [
    "firmware",
    `${kernel}${form}${initrds.length === 0 ? "" : ` with ${initrds.join(", ")}`} on ${boards.join(" ")}`,
  ];
}

/** What a node does with the parts of an image. */
function describeUse({ dataBytes, zeroBytes, unusedBytes, fetchBytes }: NonNullable<ImageView["pack"]>): string {
  const [data, fetched, zero, unused] = [dataBytes, fetchBytes, zeroBytes, unusedBytes].map(formatBytes);
  return `${data} of data (${fetched} to fetch), ${zero} of zeros, ${unused} unused and left alone`;
}
