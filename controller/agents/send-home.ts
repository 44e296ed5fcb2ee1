import type { NodeId } from "../../proto/names/node-id.ts";
import type { ImageDigest } from "../../proto/pack/digest.ts";
import type { FoundSystem } from "../../proto/system/installed-system.ts";
import { type Image, rootPartitionOf } from "../images/catalogue/image.ts";
import { type Supersedes, strandedSystemOf } from "../nodes/judge-stamped-system.ts";
import type { Node } from "../nodes/node.ts";
import type { NodeRegistry } from "../nodes/node-registry.ts";
import { selectRootIds } from "../nodes/select-root-ids.ts";
import type { AgentConnector } from "./agent-port.ts";
import { withAgentOf } from "./reach-agent.ts";

export interface SendHomeOptions {
  readonly nodes: Pick<NodeRegistry, "onChange" | "get" | "adopt">;
  readonly images: { getByDigest(digest: ImageDigest): Promise<Image | undefined> };
  readonly agents: AgentConnector;
  /** The rollout that is at work on a node. */
  readonly activeRolloutOf: (id: NodeId) => string | undefined;
  /** Given in a state out of a backup. */
  readonly supersedes?: Supersedes | undefined;
  readonly log: { warn(details: object, message: string): void };
}

/**
 * Sends nodes back into the systems on their cards that came into the agent because nothing was known of them, or by what
 * was known of another board in their place: then their boot target is local again, and they only have to restart. The
 * others lost power while the controller had forgotten them, or after its database was lost. A card that bears the stamp
 * of an image in the catalogue was written to its end, since its partition table comes last. What it says is proved once
 * its resident agent registers (believe-stamps.ts). Returns a function that ends it.
 */
export function sendHome(options: SendHomeOptions): () => void {
  const { nodes, log } = options;
  const stopped = new AbortController();
  const going = new Set<NodeId>();
  const stopListening = nodes.onChange(({ node, cause }) => {
    if (going.has(node.id)) return;
    const isBack = cause === "own-board-back" && isAway(node) && options.activeRolloutOf(node.id) === undefined;
    const isStranded = (cause === "registered" || cause === "heartbeat") && stranded(node.id, options) !== undefined;
    if (!isBack && !isStranded) return;
    going.add(node.id);
    (isBack ? restart(node, options, stopped.signal) : send(node.id, options, stopped.signal))
      .catch((error: unknown) => {
        if (!stopped.signal.aborted)
          log.warn({ err: error, node: node.name }, "could not send a node back into its system");
      })
      .finally(() => going.delete(node.id));
  });
  return () => {
    stopped.abort();
    stopListening();
  };
}

/** Whether it is in the agent, although its next boot goes to its card. */
function isAway({ agent, bootTarget }: Node): boolean {
  return agent?.role === "netboot" && bootTarget.kind === "local";
}

async function restart(node: Node, { agents }: SendHomeOptions, signal: AbortSignal): Promise<void> {
  const { facts } = node;
  if (facts === undefined) return;
  await withAgentOf(node, agents, (agent) => agent.reboot(facts.bootId, signal), { signal });
}

function stranded(
  id: NodeId,
  { nodes, activeRolloutOf, supersedes }: Pick<SendHomeOptions, "nodes" | "activeRolloutOf" | "supersedes">,
): FoundSystem | undefined {
  const node = nodes.get(id);
  return node === undefined || activeRolloutOf(id) !== undefined ? undefined : strandedSystemOf(node, supersedes);
}

async function send(id: NodeId, options: SendHomeOptions, signal: AbortSignal): Promise<void> {
  const { nodes, images, agents } = options;
  const node = nodes.get(id);
  const system = stranded(id, options);
  const image = system && (await images.getByDigest(system.installed.imageDigest));
  if (node?.facts === undefined || system === undefined || image === undefined) return;
  const { bootId } = node.facts;
  const { disk, installed } = system;
  await withAgentOf(
    node,
    agents,
    async (agent) => {
      const partition = rootPartitionOf(image);
      const root = partition && selectRootIds(await agent.listBlockDevices(signal), partition, { disk });
      // Meanwhile a rollout may have begun, or somebody may have given it a boot target.
      if (stranded(id, options)?.installed.reimageId !== installed.reimageId) return;
      const { imageDigest, reimageId } = installed;
      nodes.adopt(id, { imageDigest, reimageId, resident: true, ...(root && { root }) }, image.name, disk);
      await agent.reboot(bootId, signal);
    },
    { signal },
  );
}
