import type { BlockDevice } from "../../../proto/disk/block-device.ts";
import { Failure } from "../../../proto/failure.ts";
import type { CaptureImageRequest, CaptureImageResponse } from "../../../proto/gen/pallet/v1/controller.ts";
import type { Capability } from "../../../proto/operation/capabilities.ts";
import { isSilence } from "../../agents/agent-error.ts";
import { type ReachedAgent, reachAgentOf } from "../../agents/reach-agent.ts";
import { selectCard } from "../../images/capture/select-card.ts";
import type { Image } from "../../images/catalogue/image.ts";
import { parseImageName } from "../../images/catalogue/parse-manifest.ts";
import { assertAccepted } from "../../nodes/judge-acceptance.ts";
import type { Node } from "../../nodes/node.ts";
import { precondition, unavailable } from "../../refusal/refusal.ts";
import { assertNoReimage } from "../../reimage/plan/being-reimaged.ts";
import { imageToWire } from "../wire/image-to-wire.ts";
import type { ControllerParts } from "./parts.ts";
import { progressOf } from "./upload.ts";

const needed: Capability = "read-disk";

/**
 * Makes an image of a node's disk. Ending the iteration early, or the signal, ends the work, and leaves nothing behind.
 *
 * @param onCaptured told of the image that was made, and of which node's which disk
 */
export async function* captureImage(
  { name: given, node: named, disk: path, generalise }: CaptureImageRequest,
  signal: AbortSignal,
  { nodes, rollouts, agents, captureDisk }: Pick<ControllerParts, "nodes" | "rollouts" | "agents" | "captureDisk">,
  onCaptured: (image: Image, node: Node) => void,
): AsyncGenerator<CaptureImageResponse> {
  const name = parseImageName(given);
  const node = nodes.require(named);
  assertAccepted(node);
  assertNoReimage(node, rollouts.activeRolloutOf);
  assertInAgent(node);
  const reached = await reachAgentOf(node, agents, { signal });
  try {
    const device = await chooseDisk(node, reached, path === "" ? undefined : path, signal);
    // Checked again after the wait: a rollout may have started in the meantime.
    assertNoReimage(nodes.require(node.id), rollouts.activeRolloutOf);
    const { image, sums } = yield* progressOf(
      async (workSignal, onProgress) => {
        const { path: at, sizeBytes, serial, cid } = device;
        const disk = await reached.port.readDisk({ device: at, sizeBytes, serial, cid }, workSignal);
        return await captureDisk({
          ...{ name, disk, generalise, signal: workSignal, onProgress },
          origin: { node: node.name, device: device.path },
          mayHoldKey: node.installation !== undefined || node.proved !== undefined,
        }).catch((error: unknown) => {
          throw isSilence(error) ? gone(node, device, error) : error;
        });
      },
      signal,
      0,
      (value): CaptureImageResponse => ({ part: { $case: "progress", value } }),
    );
    onCaptured(image, node);
    const value = {
      image: imageToWire(image),
      readBytes: BigInt(sums.readBytes),
      skippedBytes: BigInt(sums.skippedBytes),
      notes: [...sums.notes],
    };
    yield { part: { $case: "captured", value } };
  } finally {
    reached.port.close();
  }
}

/** Throws a Refusal for a node whose own system runs: what is in use changes while it is read. */
function assertInAgent({ name, agent }: Node): void {
  if (agent?.role !== "resident") return;
  throw precondition(
    `${name} runs its own system, and the card of a running system cannot be copied; boot it into the agent first: ` +
      `controller boot ${name} agent, then controller reboot ${name}`,
  );
}

async function chooseDisk(
  { name }: Node,
  { port, report: { facts, agent } }: ReachedAgent,
  path: string | undefined,
  signal: AbortSignal,
): Promise<BlockDevice> {
  if (agent.capabilities?.includes(needed) !== true)
    throw precondition(
      `the agent of ${name} is older than this controller and cannot send back what is on a disk; give the nodes a new one ` +
        `(controller rootfs bake), then: controller reboot ${name}`,
    );
  const chosen = selectCard(await port.listBlockDevices(signal), facts.root, path);
  if (!(chosen instanceof Failure)) return chosen;
  throw precondition(`no image can be made of a disk of ${name}: ${chosen.message}`, { cause: chosen });
}

function gone({ name }: Node, { path }: BlockDevice, cause: Failure): Error {
  return unavailable(
    `${name} was gone before all of ${path} was read, and no image was added (${cause.message}); once it is in the agent ` +
      "again, try again",
    { cause },
  );
}
