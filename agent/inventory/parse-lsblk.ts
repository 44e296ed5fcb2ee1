import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { isCard } from "../../proto/disk/disk-kind.ts";
import { Failure } from "../../proto/failure.ts";

/**
 * Columns that the inventory wants of lsblk(8), in the order of BlockDevice. An older lsblk knows only some of them.
 */
export const wantedColumns = [
  "NAME",
  "KNAME",
  "PATH",
  "TYPE",
  "SIZE",
  "PTTYPE",
  "PTUUID",
  "PARTUUID",
  "PARTLABEL",
  "FSTYPE",
  "LABEL",
  "UUID",
  "MOUNTPOINT",
  "MOUNTPOINTS",
  "RO",
  "RM",
  "MODEL",
  "SERIAL",
  "TRAN",
  "LOG-SEC",
] as const;

/**
 * The wanted columns that this lsblk knows, from its `--help`, where each column stands on a line of its own after
 * "Available output columns". All of them when the help has no such list.
 */
export function selectColumns(help: string): readonly string[] {
  const [, list] = help.split(/^Available.*columns.*:$/m);
  if (list === undefined) return wantedColumns;
  const known = new Set(list.split("\n").map((line) => line.trim().split(/\s+/)[0]));
  const columns = wantedColumns.filter((column) => known.has(column));
  return columns.includes("MOUNTPOINTS") ? columns.filter((column) => column !== "MOUNTPOINT") : columns;
}

/** Far more than disk, partition, RAID, LUKS and LVM on top of each other; devices hold devices in themselves. */
const maxDepth = 64;

/**
 * Parses `lsblk --json --bytes --output …` of util-linux 2.27 to 2.41.
 *
 * Older versions print numbers and booleans as strings ("0", "1") and one `mountpoint` instead of `mountpoints`; a
 * column that was not asked for or that lsblk has no value for (null) becomes "", 0 or false. Fields that are not known
 * here are ignored. Throws a `tool-failed` Failure when it is not JSON of that shape, a device has no name, or devices are
 * nested beyond reason.
 */
export function parseLsblk(json: string): readonly BlockDevice[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw new Failure("tool-failed", `lsblk did not print JSON: ${excerpt(json)}`, { cause: error });
  }
  if (!isObject(parsed) || !Array.isArray(parsed["blockdevices"]))
    throw new Failure("tool-failed", `lsblk printed JSON without a list of block devices: ${excerpt(json)}`);
  return parsed["blockdevices"].map((each) => toBlockDevice(each, 0));
}

function toBlockDevice(value: unknown, depth: number): BlockDevice {
  if (!isObject(value))
    throw new Failure("tool-failed", `lsblk printed a device that is not an object, but of the type ${typeof value}`);
  if (depth > maxDepth) throw new Failure("tool-failed", `lsblk printed devices that are nested ${depth} deep`);
  const name = text(value["kname"]) || text(value["name"]).replace(/^\/dev\//, "");
  if (name === "")
    throw new Failure(
      "tool-failed",
      `lsblk printed a device without a name, with ${excerpt(Object.keys(value).join(", "))}`,
    );
  const type = text(value["type"]);
  const isPartition = type === "part";
  const transport = text(value["tran"]);
  return {
    name,
    path: text(value["path"]) || `/dev/${name}`,
    type,
    sizeBytes: count(value["size"]),
    // lsblk repeats the table of the disk for each of its partitions.
    partitionTable: isPartition ? "" : text(value["pttype"]),
    partitionTableUuid: isPartition ? "" : text(value["ptuuid"]),
    partitionUuid: text(value["partuuid"]),
    partitionLabel: text(value["partlabel"]),
    partitionNumber: 0,
    startBytes: 0,
    filesystemType: text(value["fstype"]),
    label: text(value["label"]),
    uuid: text(value["uuid"]),
    mountpoints: mountpoints(value),
    readOnly: flag(value["ro"]),
    removable: flag(value["rm"]),
    model: text(value["model"]),
    serial: text(value["serial"]),
    cid: "",
    transport: isCard({ transport, name }) ? "mmc" : transport,
    logicalSectorBytes: count(value["log-sec"]) || 512,
    children: Array.isArray(value["children"]) ? value["children"].map((each) => toBlockDevice(each, depth + 1)) : [],
  };
}

function mountpoints(value: Record<string, unknown>): readonly string[] {
  const several = value["mountpoints"];
  const all = Array.isArray(several) ? several : [value["mountpoint"]];
  return all.filter((mountpoint): mountpoint is string => typeof mountpoint === "string" && mountpoint !== "");
}

/** A serial or a label of digits only may be a number in JSON. Hardware strings come padded with spaces. */
function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : typeof value === "number" ? String(value) : "";
}

function count(value: unknown): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : 0;
}

function flag(value: unknown): boolean {
  return value === true || value === 1 || value === "1" || value === "true";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function excerpt(json: string): string {
  return json.length > 200 ? `${json.slice(0, 200)}…` : json || "nothing";
}
