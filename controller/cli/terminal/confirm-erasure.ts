import { Failure } from "../../../proto/failure.ts";
import type { CommandContext } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { describeContent } from "../render/render-disks.ts";
import { formatBytes } from "../render/units.ts";
import { findDisk, viewDisk } from "../view/disk-view.ts";
import { confirm } from "./confirm.ts";

/**
 * Shows what a node's device holds now, and asks whether to erase it.
 *
 * @param question what would be done, for example "Wipe /dev/sda of rack-1"
 * @returns whether the operator agreed; if not, a message has been printed
 * @throws Failure if the node has no such device
 */
export async function confirmErasure(
  context: CommandContext,
  node: string,
  device: string,
  question: string,
): Promise<boolean> {
  const { client, signal, note } = context;
  const devices = (await client.listNodeDisks({ node }, signal)).devices.map(viewDisk);
  const found = findDisk(devices, device);
  if (found === undefined) {
    const paths = devices.flatMap((disk) => [disk.path, ...disk.children.map(({ path }) => path)]);
    const has = paths.length === 0 ? "it has no disks" : `it has ${paths.join(", ")}`;
    throw new Failure("not-a-disk", `${node} has no device ${device}: ${has}`);
  }
  const content = describeContent(found);
  note([
    `${printable(found.path)} of ${printable(node)}, ${formatBytes(found.sizeBytes)}${found.model === null ? "" : `, ${printable(found.model)}`}`,
    ...(content.length === 0 ? ["  holds nothing recognisable"] : content.map((line) => `  loses ${printable(line)}`)),
  ]);
  if (await confirm(context, `${question}? Type yes: `)) return true;
  note(["Not confirmed; nothing was changed."]);
  return false;
}
