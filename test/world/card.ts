import { type Image, rootPartitionOf } from "../../controller/images/catalogue/image.ts";
import type { BlockDevice } from "../../proto/disk/block-device.ts";
import type { OperationSpec } from "../../proto/operation/operation-spec.ts";
import type { InstalledSystem } from "../../proto/system/installed-system.ts";
import { aDevice } from "../unit/proto/disk/a-device.ts";
import type { Content } from "./history/history.ts";
import { imageOfDigest } from "./images.ts";
import { editionOf, giftIn } from "./profiles.ts";
import type { CardTasks } from "./task-run.ts";

type WriteSpec = Extract<OperationSpec, { kind: "write-image" }>;

/** An SD card, or a USB disk. */
export interface Card {
  readonly name: string;
  readonly sizeBytes: number;
  readonly isDisk: boolean;
  content: "blank" | "foreign" | "torn" | Written;
}

/** A whole image on a card. */
interface Written {
  readonly image: Image;
  readonly stamp?: InstalledSystem;
  /** The edition of the profiles that its system was made by. */
  readonly config?: string;
  /** What hooks gave for it. */
  readonly gift?: string;
  readonly tasks?: CardTasks;
  /** PARTUUIDs by the number of the partition, where they are others than the image's. */
  readonly partitionUuids: ReadonlyMap<number, string>;
}

export function createCard(name: string, content: "blank" | "foreign", isDisk = false): Card {
  return { name, sizeBytes: (isDisk ? 64 : 16) * 2 ** 30, isDisk, content };
}

/** What is on it, for the history. */
export function contentOf({ content }: Card): Content {
  if (typeof content === "string") return { kind: content };
  const { image, stamp, config, gift } = content;
  const about = { kind: "image", image: image.name, reimage: stamp?.reimageId ?? "" } as const;
  return { ...about, ...(config && { config }), ...(gift && { gift }) };
}

/** What a finished write leaves. */
export function writtenBy(spec: WriteSpec): Written {
  const image = imageOfDigest(spec.source.digest);
  if (image === undefined) throw new Error(`the world has no image ${spec.source.digest}`);
  const { stamp, system } = spec.customisation ?? {};
  // An agent refuses the one without the other.
  if ((system === undefined) !== (stamp?.config === undefined))
    throw new Error("a config without its digest in the stamp, or the reverse");
  const { tasks = [] } = system ?? {};
  const gift = system && giftIn(system);
  const changes = spec.ids?.partitions ?? [];
  return {
    image,
    ...(stamp !== undefined && { stamp }),
    ...(system !== undefined && { config: editionOf(system) }),
    ...(gift !== undefined && { gift }),
    ...(tasks.length > 0 && { tasks: { file: { configDigest: stamp?.config ?? "", tasks }, kept: undefined } }),
    partitionUuids: new Map(changes.map((change) => [change.partitionNumber, change.cardUuid])),
  };
}

/** An image's own first boot gives the disk another id. */
export function withNewDiskId(written: Written, diskId: string): Written {
  const partitionUuids = written.image.partitions.map(
    ({ number }) => [number, `${diskId}-${String(number).padStart(2, "0")}`] as const,
  );
  return { ...written, partitionUuids: new Map(partitionUuids) };
}

/** As lsblk shows it. */
export function deviceOf(card: Card): BlockDevice {
  const name = card.isDisk ? "sda" : "mmcblk0";
  const { content } = card;
  const partition = (number: number, fields: Partial<BlockDevice>): BlockDevice =>
    aDevice(card.isDisk ? `${name}${number}` : `${name}p${number}`, { partitionNumber: number, ...fields });
  const children =
    content === "blank" || content === "torn"
      ? []
      : content === "foreign"
        ? [partition(1, { sizeBytes: 2 ** 30, startBytes: 2 ** 20, filesystemType: "ext4", uuid: foreignUuid })]
        : content.image.partitions.map((each) =>
            partition(each.number, {
              sizeBytes: each.lengthBytes,
              startBytes: each.offsetBytes,
              filesystemType: each.filesystemType,
              uuid: each.uuid,
              partitionUuid: content.partitionUuids.get(each.number) ?? each.partitionUuid,
            }),
          );
  return aDevice(name, {
    type: "disk",
    sizeBytes: card.sizeBytes,
    partitionTable: children.length > 0 ? "dos" : "",
    cid: card.isDisk ? "" : card.name,
    serial: card.name,
    transport: card.isDisk ? "usb" : "mmc",
    children,
  });
}

const foreignUuid = "f0f0f0f0-f0f0-4f0f-8f0f-f0f0f0f0f0f0";

/** The image whose root this kernel command line finds on the card. */
export function rootFoundBy(words: readonly string[], card: Card): Written | undefined {
  const { content } = card;
  if (typeof content === "string") return undefined;
  const named = words.findLast((word) => word.startsWith("root="))?.slice("root=".length) ?? "";
  const root = rootPartitionOf(content.image);
  const partitionUuid = content.partitionUuids.get(root.number) ?? root.partitionUuid;
  return [`UUID=${root.uuid}`, `PARTUUID=${partitionUuid}`].includes(named) ? content : undefined;
}
