import { Failure } from "../../../proto/failure.ts";
import type { CommandContext } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { describeContent } from "../render/render-disks.ts";
import { formatBytes } from "../render/units.ts";
import { findDisk, viewDisk } from "../view/disk-view.ts";
import { confirm } from "./confirm.ts";

/** A device of a node: how the controller is asked about the node, and how it is called for people. */
export interface DeviceToErase {
  readonly node: string;
  readonly name: string;
  readonly device: string;
}

/**
 * Shows what devices hold now, and asks whether to erase them.
 *
 * @param question what would be done, for example "Wipe /dev/sda of rack-1"
 * @returns whether the operator agreed; if not, a message has been printed
 * @throws Failure if a node has no such device, or does not answer
 */
export async function confirmErasure(
  context: CommandContext,
  devices: readonly DeviceToErase[],
  question: string,
): Promise<boolean> {
  const described = await Promise.all(devices.map((each) => describeLoss(context, each)));
  context.note(described.flat());
  if (await confirm(context, `${question}? Type yes: `)) return true;
  context.note(["Not confirmed; nothing was changed."]);
  return false;
}

async function describeLoss(
  { client, signal }: CommandContext,
  { node, name, device }: DeviceToErase,
): Promise<readonly string[]> {
  const answer = await client.listNodeDisks({ node }, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    const { reason, message } = Failure.from(error);
    throw new Failure(reason, message.includes(name) ? message : `${name}: ${message}`, { cause: error });
  });
  const devices = answer.devices.map(viewDisk);
  const found = findDisk(devices, device);
  if (found === undefined) {
    const paths = devices.flatMap((disk) => [disk.path, ...disk.children.map(({ path }) => path)]);
    const has = paths.length === 0 ? "it has no disks" : `it has ${paths.join(", ")}`;
    throw new Failure("not-a-disk", `${name} has no device ${device}: ${has}`);
  }
  const content = describeContent(found);
  return [
    `${printable(found.path)} of ${printable(name)}, ${formatBytes(found.sizeBytes)}${found.model === null ? "" : `, ${printable(found.model)}`}`,
    ...(content.length === 0 ? ["  holds nothing recognisable"] : content.map((line) => `  loses ${printable(line)}`)),
  ];
}
