import * as wire from "../../../proto/gen/pallet/v1/image.ts";
import { type KernelFormat, kernelFormats, kernelOrigins } from "../../../proto/words/kernel-kind.ts";
import { partitionTableKinds } from "../../../proto/words/partition-table-kind.ts";
import { describeNotes } from "../../images/boot/describe-notes.ts";
import type { Image, Pack } from "../../images/catalogue/image.ts";

/** Converts an image to the wire. */
export function imageToWire(image: Image): wire.Image {
  return {
    name: image.name,
    digest: image.digest,
    sizeBytes: BigInt(image.sizeBytes),
    storedBytes: BigInt(image.storedBytes),
    partitionTable: partitionTableKinds.toWire(image.partitionTable),
    partitions: image.partitions.map((partition) => ({
      ...partition,
      offsetBytes: BigInt(partition.offsetBytes),
      lengthBytes: BigInt(partition.lengthBytes),
      countsWhole: partition.countsWhole ?? "",
    })),
    rootPartition: image.rootPartition,
    operatingSystem: image.operatingSystem,
    boot: {
      kernel: image.boot.kernel,
      initrd: image.boot.initrd ?? "",
      deviceTrees: [...image.boot.deviceTrees],
      commandLine: image.boot.commandLine,
      kernelFormat: formatToWire(image.boot.kernelFormat),
      kernelOrigin:
        image.boot.kernelOrigin === undefined
          ? wire.KernelOrigin.KERNEL_ORIGIN_UNSPECIFIED
          : kernelOrigins.toWire(image.boot.kernelOrigin),
      firstBootWords: [...(image.boot.firstBootWords ?? [])],
      firmwareBoots: (image.boot.firmware?.boots ?? []).map(({ boards, kernel, kernelFormat, initrds }) => ({
        boards: [...boards],
        kernel,
        kernelFormat: formatToWire(kernelFormat),
        initrds: [...initrds],
      })),
    },
    addedAt: new Date(image.addedAt),
    pack: packToWire(image.pack),
    everything: image.everything ?? false,
    notes: [...describeNotes(image)],
    capture: image.capture && { ...image.capture, removed: [...image.capture.removed] },
  };
}

function formatToWire(format: KernelFormat | undefined): wire.KernelFormat {
  return format === undefined ? wire.KernelFormat.KERNEL_FORMAT_UNSPECIFIED : kernelFormats.toWire(format);
}

function packToWire(pack: Pack): wire.Pack {
  return {
    manifestDigest: pack.manifestDigest,
    manifestBytes: BigInt(pack.manifestBytes),
    chunkBytes: pack.chunkBytes,
    dataBytes: BigInt(pack.dataBytes),
    zeroBytes: BigInt(pack.zeroBytes),
    unusedBytes: BigInt(pack.unusedBytes),
    fetchBytes: BigInt(pack.fetchBytes),
    onlyFree: pack.onlyFree ?? false,
  };
}
