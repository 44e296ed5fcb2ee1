import type { NodeId } from "../../proto/names/node-id.ts";
import { sameRootIds } from "../../proto/node/root-ids.ts";
import type { ImageDigest } from "../../proto/pack/digest.ts";
import type { NewEvent } from "../events/event.ts";
import { type Image, rootPartitionOf } from "../images/catalogue/image.ts";
import { localBootsBeforeLook } from "../nodes/judge-local-boots.ts";
import type { Node } from "../nodes/node.ts";
import type { NodeRegistry } from "../nodes/node-registry.ts";
import { selectRootIds } from "../nodes/select-root-ids.ts";
import type { AgentConnector } from "./agent-port.ts";
import { withAgentOf } from "./reach-agent.ts";

export interface LookAtCardsOptions {
  readonly nodes: Pick<NodeRegistry, "onChange" | "get" | "setRoot" | "lookTaken" | "setBootTarget">;
  readonly images: { getByDigest(digest: ImageDigest): Promise<Image | undefined> };
  readonly agents: AgentConnector;
  /** The rollout that is at work on a node: where that goes is for it to say. */
  readonly activeRolloutOf: (id: NodeId) => string | undefined;
  readonly events: { append(event: NewEvent): unknown };
  readonly log: { warn(details: object, message: string): void };
}

/**
 * Looks at the cards of nodes that were sent into the agent for that (`wantsLook`), keeps by which ids their roots are
 * found now, and sends them back into their own systems. One that loops again after a look that found nothing new stays
 * in the agent: another round would be like the last. A node whose agent does not answer is tried again at its next
 * heartbeat. Returns a function that ends it.
 */
export function lookAtCards(options: LookAtCardsOptions): () => void {
  const { nodes, log } = options;
  const stopped = new AbortController();
  const looking = new Set<NodeId>();
  const stopListening = nodes.onChange(({ node, cause }) => {
    if ((cause !== "registered" && cause !== "heartbeat") || !isToBeLookedAt(node) || looking.has(node.id)) return;
    looking.add(node.id);
    look(node, options, stopped.signal)
      .catch((error: unknown) => {
        if (!stopped.signal.aborted)
          log.warn({ err: error, node: node.name }, "could not look at a card; trying again");
      })
      .finally(() => looking.delete(node.id));
  });
  return () => {
    stopped.abort();
    stopListening();
  };
}

/** Whether it came into the agent for this, and may leave it again. */
function isToBeLookedAt({ agent, bootTarget, installation }: Node): boolean {
  return (
    agent?.role === "netboot" &&
    bootTarget.kind === "local" &&
    installation?.lookDue === true &&
    installation.imageDigest === bootTarget.imageDigest
  );
}

async function look(node: Node, options: LookAtCardsOptions, signal: AbortSignal): Promise<void> {
  const { nodes, images, agents, events } = options;
  const { installation, facts } = node;
  if (installation === undefined || facts === undefined) return;
  const image = await images.getByDigest(installation.imageDigest);
  await withAgentOf(
    node,
    agents,
    async (agent) => {
      const root = image && rootPartitionOf(image);
      const known = installation.root;
      const found = root && selectRootIds(await agent.listBlockDevices(signal), root, { known });
      // Meanwhile somebody may have given the node another boot target.
      const current = nodes.get(node.id);
      if (current === undefined || !isToBeLookedAt(current)) return;
      if (found !== undefined) nodes.setRoot(node.id, installation.reimageId, found);
      nodes.lookTaken(node.id);
      const isAsKnown = found !== undefined && known !== undefined && sameRootIds(known, found);
      const outcome =
        found === undefined
          ? `found no root of ${image?.name ?? "its image"} there`
          : isAsKnown
            ? "found its root by the ids that were known"
            : "found its root by other ids than were known";
      const isHopeless = current.installation?.loopsAgain === true && (found === undefined || isAsKnown);
      if (isHopeless && options.activeRolloutOf(node.id) === undefined) {
        nodes.setBootTarget(node.id, { kind: "agent" });
        const { name } = node;
        const message =
          `${name} stays in the agent: nothing was heard of its own system in ${localBootsBeforeLook} boots, nor in ` +
          `${localBootsBeforeLook} more after a look at its card, and a second look ${outcome}; reimage it (controller ` +
          `reimage ${name}), or send it back if its system is well without being heard (controller boot ${name} local)`;
        events.append({ type: "node-kept-in-agent", severity: "error", nodeId: node.id, nodeName: name, message });
        return;
      }
      events.append({
        type: "node-rebooted",
        severity: found === undefined ? "error" : "warning",
        nodeId: node.id,
        nodeName: node.name,
        message:
          `looked at the card of ${node.name}, of which nothing was heard in ${localBootsBeforeLook} boots, and ` +
          `${outcome}; rebooting it into its own system`,
      });
      await agent.reboot(facts.bootId, signal);
    },
    { expected: { bootId: facts.bootId, role: "netboot" }, signal },
  );
}
