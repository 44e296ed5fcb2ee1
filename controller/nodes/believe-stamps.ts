import type { NodeId } from "../../proto/names/node-id.ts";
import { shortDigest } from "../../proto/pack/digest.ts";
import type { NewEvent } from "../events/event.ts";
import type { ImageLookup } from "../images/catalogue/find-image.ts";
import { type StampedSystem, type Supersedes, unclaimedSystemOf } from "./judge-stamped-system.ts";
import type { NodeRegistry } from "./node-registry.ts";

export interface BelieveStampsOptions {
  readonly nodes: Pick<NodeRegistry, "onChange" | "get" | "restore" | "setBootTarget">;
  readonly images: ImageLookup;
  readonly events: { append(event: NewEvent): unknown };
  /** The rollout that is at work on a node: what it finds is for it to judge. */
  readonly activeRolloutOf: (id: NodeId) => string | undefined;
  /** Given in a state out of a backup. */
  readonly supersedes?: Supersedes | undefined;
  readonly log: { warn(details: object, message: string): void };
}

/**
 * Takes nodes that were forgotten, or lost with the database, for what their own systems say they are: who runs from
 * its disk with the stamp of an image in the catalogue has proved it once, and goes on booting it. Otherwise the next
 * power cut would leave a production system at the installer. Where the image is missing, an event says so, once, and
 * the node is judged again at each of its heartbeats. Returns a function that ends it.
 */
export function believeStamps(options: BelieveStampsOptions): () => void {
  const { nodes, images, events, activeRolloutOf, supersedes, log } = options;
  /** Of which node, and of which digest, the image was already said to be missing. */
  const told = new Map<NodeId, string>();

  async function judge(id: NodeId): Promise<void> {
    const system = unclaimed(id);
    if (system === undefined) return;
    const image = await imageOf(system, images);
    // Meanwhile a rollout may have begun, or somebody may have given it another boot target.
    const node = nodes.get(id);
    if (node === undefined || unclaimed(id)?.reimageId !== system.reimageId) return;
    if (image !== undefined) {
      told.delete(id);
      nodes.restore(id, { imageName: image.name, imageDigest: image.digest, kind: "resident" }, system.disk);
      return;
    }
    if (told.get(id) === system.imageDigest) return;
    told.set(id, system.imageDigest);
    // What a backup says of its card is of another system, which would not start there.
    if (node.bootTarget.kind === "local" && node.bootTarget.imageDigest !== system.imageDigest)
      nodes.setBootTarget(id, { kind: "agent" });
    const message =
      `${node.name} runs ${system.imageName} (${shortDigest(system.imageDigest)}) from ${system.disk}, by its stamp, but ` +
      "that image is not in the catalogue, so its next boot goes to the agent: " +
      `add it (controller images add FILE --name ${system.imageName}), and the node boots its own system again`;
    events.append({ type: "stamp-unknown", severity: "warning", nodeId: id, nodeName: node.name, message });
  }

  function unclaimed(id: NodeId): StampedSystem | undefined {
    const node = nodes.get(id);
    return node === undefined || activeRolloutOf(id) !== undefined ? undefined : unclaimedSystemOf(node, supersedes);
  }

  return nodes.onChange(({ node, cause }) => {
    if (cause === "forgotten") told.delete(node.id);
    if (cause !== "registered" && cause !== "heartbeat") return;
    judge(node.id).catch((error: unknown) => {
      log.warn({ err: error, node: node.name }, "could not restore a node from its stamp; trying again");
    });
  });
}

/** The image of that content, by the name in the stamp if it still has it. */
async function imageOf({ imageName, imageDigest }: StampedSystem, images: ImageLookup) {
  const named = await images.get(imageName);
  return named?.digest === imageDigest ? named : images.getByDigest(imageDigest);
}
