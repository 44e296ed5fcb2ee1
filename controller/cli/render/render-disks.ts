import type { DiskView } from "../view/disk-view.ts";
import type { Look } from "./style.ts";
import { type Cell, renderTable } from "./table.ts";
import { formatBytes } from "./units.ts";

function rows(device: DiskView, prefix: string, branch: string, look: Look): (Cell | string)[][] {
  const traits = [
    device.transport,
    tableName(device),
    device.readOnly ? "read-only" : null,
    device.removable ? "removable" : null,
  ].filter((trait) => trait !== null);
  const own = [
    prefix + branch + device.path,
    device.type,
    { text: formatBytes(device.sizeBytes) },
    device.filesystemType ?? "",
    device.label ?? "",
    { text: device.mountpoints.join(", "), style: "yellow" as const },
    traits.join(", "),
    device.model ?? "",
  ];
  const [tee, corner, bar] = look.unicode ? ["├─", "└─", "│ "] : ["|-", "`-", "| "];
  const below = branch === "" ? prefix : prefix + (branch === corner ? "  " : bar);
  return [
    own,
    ...device.children.flatMap((child, index) =>
      rows(child, below, index === device.children.length - 1 ? corner : tee, look),
    ),
  ];
}

/** lsblk's "dos" is the MBR of images. */
function tableName({ partitionTable }: DiskView): string | null {
  return partitionTable === "dos" ? "mbr" : partitionTable;
}

/** The block devices of a node as a tree in a table. */
export function renderDisks(devices: readonly DiskView[], look: Look): string[] {
  return renderTable(
    [
      { title: "DEVICE" },
      { title: "TYPE" },
      { title: "SIZE", align: "right" },
      { title: "CONTENT" },
      { title: "LABEL", shrinkTo: 11 },
      { title: "MOUNTED AT" },
      { title: "TRAITS", isOptional: true },
      { title: "MODEL", isOptional: true, shrinkTo: 8 },
    ],
    devices.flatMap((device) => rows(device, "", "", look)),
    look,
  );
}

/** What a device holds now, one line per filesystem: what mkfs or wipe would destroy. */
export function describeContent(device: DiskView): string[] {
  const { filesystemType, label, mountpoints } = device;
  const table = tableName(device);
  const words = [
    table === null ? null : `${table} partition table`,
    filesystemType,
    label === null ? null : `label ${label}`,
    mountpoints.length === 0 ? null : `mounted at ${mountpoints.join(", ")}`,
  ].filter((word) => word !== null);
  const own = words.length === 0 ? [] : [`${device.path}: ${words.join(", ")}`];
  return [...own, ...device.children.flatMap(describeContent)];
}
