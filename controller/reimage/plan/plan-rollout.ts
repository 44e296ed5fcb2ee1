import type { BlockDevice } from "../../../proto/disk/block-device.ts";
import { describeSize } from "../../../proto/disk/describe-size.ts";
import { withDescendants } from "../../../proto/disk/device-tree.ts";
import { type DiskProtection, keepLabelOnly, refuseProtecting } from "../../../proto/disk/protected-disk.ts";
import { Failure } from "../../../proto/failure.ts";
import { shortDigest } from "../../../proto/pack/digest.ts";
import type { Loader } from "../../boot/choose-way.ts";
import type { Image } from "../../images/catalogue/image.ts";
import { describeReplacement } from "../../nodes/judge-board.ts";
import type { Node } from "../../nodes/node.ts";
import type { NodeSystem } from "../../profiles/node-system.ts";
import { beingReimaged } from "./being-reimaged.ts";
import { cardFitOf, growthStep } from "./describe-card-growth.ts";
import { recordOf } from "./failure-record.ts";
import { refuseUnknown } from "./judge-agent.ts";
import { describeConfiguring, judgeProfiles } from "./judge-profiles.ts";
import { judgeSystem } from "./judge-system.ts";
import { judgeUnchanged } from "./judge-unchanged.ts";
import { judgeWay, type WayVerdict } from "./judge-way.ts";
import { planCardChanges } from "./plan-card-changes.ts";
import {
  type CardFirmwarePolicy,
  describeDiskFirmware,
  type FirmwareSentences,
  planDiskFirmware,
} from "./plan-disk-firmware.ts";
import type { ReimagePlan, RolloutRequest } from "./rollout.ts";
import { seenOn } from "./seen-disk.ts";
import { selectDisk } from "./select-disk.ts";

/** What is known of a node when its reimage is planned. */
export interface NodeBeforeReimage {
  readonly node: Node;
  readonly online: boolean;
  /** Its disks, when its agent could be asked; or why it could not. */
  readonly devices?: readonly BlockDevice[] | Failure;
  /** Id of a rollout that is at work on it. */
  readonly busyWith?: string;
  /** What its profiles say; absent if they say nothing, a Failure if they cannot be rendered for it. */
  readonly system?: NodeSystem | Failure;
}

/** How the reimage is asked for. */
export type PlanOptions = Pick<
  RolloutRequest,
  "disk" | "noResident" | "full" | "noGrow" | "growToBytes" | "onlyChanged"
>;

/** The disk that the rule chooses on a node, from what its agent reports now; undefined while nobody could ask it. */
export function chooseDisk(
  { node, devices }: Pick<NodeBeforeReimage, "node" | "devices">,
  image: Image,
  path: string | undefined,
  protectedDisks: DiskProtection,
): BlockDevice | Failure | undefined {
  if (!Array.isArray(devices)) return undefined;
  const rebootsFirst = node.agent?.role === "resident";
  return choose(node, devices as readonly BlockDevice[], image, path, { rebootsFirst, protectedDisks });
}

/** What a reimage would do to this node, from what is known now. Nothing is asked and nothing is done. */
export function planReimage(
  before: NodeBeforeReimage,
  image: Image,
  request: PlanOptions,
  cardFirmware: CardFirmwarePolicy = "auto",
  loader: Loader = "auto",
  protectedDisks: DiskProtection = keepLabelOnly,
): ReimagePlan {
  const { disk, noResident = false, full = false } = request;
  const growth = growthStep(image, cardFitOf(request));
  const { node, online, devices, busyWith } = before;
  const about = { nodeId: node.id, nodeName: node.name, writeBytes: image.pack.dataBytes + image.pack.zeroBytes };
  const resident = node.agent?.role === "resident";
  const system = before.system instanceof Failure ? undefined : before.system;
  const config = system?.summary;
  const isComparable = request.onlyChanged === true && !(before.system instanceof Failure);
  const unchanged = isComparable ? judgeUnchanged(node, image, noResident, config?.digest) : undefined;
  if (unchanged !== undefined)
    return {
      ...about,
      diskBytes: 0,
      erases: [],
      steps: [],
      writeBytes: 0,
      seen: seenOn(node.id, undefined, config?.digest),
      ...(config && { config }),
      unchanged,
    };
  const chosen = chooseDisk(before, image, disk, protectedDisks);
  const target = chosen instanceof Failure ? undefined : chosen;
  const path = target?.path ?? disk;
  const firmware = describeDiskFirmware(cardFirmware, { name: node.name, model: node.facts?.model }, image);
  const way = judgeWay(image, node.facts?.model, loader);
  const misfit =
    way.refusal ??
    refuseProtecting(image.name, image.partitions, protectedDisks) ??
    (noResident ? undefined : judgeSystem(image, node.agent?.residentProgram, cardFitOf(request))) ??
    (before.system instanceof Failure ? before.system : system && judgeProfiles(image, system, noResident));
  const unfit =
    misfit ??
    (chosen instanceof Failure ? chosen : (firmware.refusal ?? unknownTo(before, image, request, cardFirmware, path)));
  const refusal = busyWith === undefined ? unfit : beingReimaged(node, busyWith);
  const notes = [
    describeReplacement(node),
    noteOn(node, online, devices),
    ...(noResident ? [afterwards(node)] : []),
    firmware.note,
  ];
  const note = notes.filter((each) => each !== undefined).join("; ");
  return {
    ...about,
    diskBytes: target?.sizeBytes ?? 0,
    erases: target === undefined ? [] : contentsOf(target),
    steps: steps(node, {
      running: online && resident,
      image,
      disk: path,
      noResident,
      full,
      firmware,
      way,
      growth,
      system,
    }),
    seen: seenOn(node.id, target, config?.digest),
    ...(config && { config }),
    ...(path !== undefined && { disk: path }),
    ...(refusal && { refusal: recordOf(refusal) }),
    ...(note !== "" && { note }),
  };
}

/** What the agent that is there now does not know; one that the node has yet to boot tells when it is there. */
function unknownTo(
  { node, online, system }: NodeBeforeReimage,
  image: Image,
  request: PlanOptions,
  cardFirmware: CardFirmwarePolicy,
  disk = "",
): Failure | undefined {
  if (!online || node.agent?.role !== "netboot") return undefined;
  const diskFirmware = planDiskFirmware(cardFirmware, node.facts?.model ?? "", image);
  const changes = planCardChanges(image, cardFitOf(request), { nodeId: node.id, disk });
  const config = system instanceof Failure ? undefined : system?.config;
  const customisation = { resident: false, ...(diskFirmware && { diskFirmware }), ...(config && { system: config }) };
  return refuseUnknown({ ...changes, ...((diskFirmware ?? config) && { customisation }) }, node.agent);
}

/** Seen from an installed system, its own disk is in use; it will not be once the node has rebooted into the agent. */
function choose(
  node: Node,
  devices: readonly BlockDevice[],
  image: Image,
  path: string | undefined,
  about: { readonly rebootsFirst: boolean; readonly protectedDisks: DiskProtection },
): BlockDevice | Failure {
  return selectDisk(devices, {
    minBytes: image.sizeBytes,
    ...(path !== undefined && { path }),
    root: node.facts?.root ?? { source: "", disk: "" },
    ...about,
  });
}

/** What a disk holds and would lose, one line for each partition and whatever else is on it. */
export function contentsOf(disk: BlockDevice): readonly string[] {
  const [, ...parts] = withDescendants(disk);
  if (parts.length === 0) return [`${disk.path}: no partitions, ${describeContent(disk, "no known filesystem")}`];
  return parts.map(
    (part) => `${part.path}: ${describeSize(part.sizeBytes)}, ${describeContent(part, "content unknown")}`,
  );
}

function describeContent({ filesystemType, label, mountpoints }: BlockDevice, unknown: string): string {
  const content = filesystemType === "" ? unknown : `${filesystemType}${label === "" ? "" : ` "${label}"`}`;
  return mountpoints.length === 0 ? content : `${content}, mounted at ${mountpoints.join(", ")}`;
}

function steps(
  node: Node,
  about: {
    readonly running: boolean;
    readonly image: Image;
    readonly disk: string | undefined;
    readonly noResident: boolean;
    readonly full: boolean;
    readonly firmware: FirmwareSentences;
    readonly way: WayVerdict;
    readonly growth: string | undefined;
    readonly system: NodeSystem | undefined;
  },
): readonly string[] {
  const { running, image, disk, noResident, full, firmware, way, growth, system } = about;
  const configuring = describeConfiguring(system);
  const card = disk ?? "the disk that fits (chosen once its agent runs)";
  return [
    "Set the boot target to agent.",
    ...(running ? [`Reboot ${node.name} out of its installed system into the netbooted agent.`] : []),
    `Erase the partition table of ${card}.`,
    `Write ${image.name} (${describeSize(image.sizeBytes)}, sha256 ${shortDigest(image.digest)}) to ${card}` +
      (full ? ", rewriting everything." : ", except what is already there."),
    "Read it back and compare.",
    ...(growth === undefined ? [] : [growth]),
    noResident
      ? `Leave the ${firmware.step === undefined ? "image" : "system in the image"} as it is: no stamp, no resident agent.`
      : "Install the resident agent and the stamp of this reimage into the new system.",
    ...(configuring === undefined ? [] : [configuring]),
    ...(firmware.step === undefined ? [] : [firmware.step]),
    "Write the partition table.",
    way.byOwnFiles
      ? "Set the boot target to local and reboot; the board's firmware boots the image by the image's own config.txt."
      : "Set the boot target to local and reboot.",
    noResident
      ? `Wait until ${node.name} has fetched the kernel of ${image.name} and answers on the network (a weak proof).`
      : `Wait for the proof that ${node.name} runs ${image.name} from ${card}.`,
  ];
}

/** What leaving the image untouched means for the next time. */
function afterwards({ name }: Node): string {
  return `afterwards nothing can bring ${name} back over the network: before its next reimage, reboot or power-cycle it by hand`;
}

/** What is confirmed where no disk was seen. */
const decidedLater = "its disk is decided by the same rule once its agent runs: it is erased only if exactly one fits";

function noteOn(node: Node, online: boolean, devices: NodeBeforeReimage["devices"]): string | undefined {
  if (!online && node.proved?.kind === "weak")
    return (
      `${node.name} runs ${node.proved.imageName} without a resident agent: reboot or power-cycle it by hand once the ` +
      `rollout is waiting for it; ${decidedLater}`
    );
  if (!online) return `${node.name} is offline: the rollout waits for it; ${decidedLater}`;
  if (devices instanceof Failure) return `its disks could not be listed now (${devices.message}); ${decidedLater}`;
  if (node.agent?.role === "resident") {
    const system = node.agent.installed?.imageName ?? "an installed system";
    return `it runs ${system} now and will be rebooted into the agent first; its disks are checked again there`;
  }
  return undefined;
}
