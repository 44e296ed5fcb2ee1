import type { DiskProtection } from "../../proto/disk/protected-disk.ts";
import { Failure } from "../../proto/failure.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import type { Image } from "../images/catalogue/image.ts";
import type { Node } from "../nodes/node.ts";
import type { NodeSystem } from "../profiles/node-system.ts";
import { invalid, precondition } from "../refusal/refusal.ts";
import { judgeConfirmedConfig } from "./plan/judge-profiles.ts";
import { judgeUnchanged } from "./plan/judge-unchanged.ts";
import { chooseDisk, type NodeBeforeReimage } from "./plan/plan-rollout.ts";
import type { RolloutRequest } from "./plan/rollout.ts";
import { judgeSeen, type SeenDisk } from "./plan/seen-disk.ts";

/** What was confirmed, by node; undefined when nothing was. */
export function confirmedOn({ seen }: RolloutRequest): ReadonlyMap<NodeId, SeenDisk> | undefined {
  return seen && new Map(seen.map((each) => [each.nodeId, each]));
}

/**
 * The nodes that were in the plan that was confirmed: of "all", those that have come since are left out; one that is named
 * and was not in the plan is refused.
 */
export function onlyConfirmed(targets: readonly Node[], request: RolloutRequest): readonly Node[] {
  const confirmed = confirmedOn(request);
  if (confirmed === undefined) return targets;
  const left = targets.filter(({ id }) => confirmed.has(id));
  const [stranger] = targets.filter(({ id }) => !confirmed.has(id));
  if (stranger !== undefined && !request.all)
    throw invalid(`${stranger.name} was not in the plan that was confirmed; plan again`);
  return left;
}

/**
 * Throws a Refusal that names the first node, and how many more, whose disk or profiles are no longer what was confirmed, as far as
 * that can be told now; what cannot be told is told by the node's preflight.
 */
export function assertAsConfirmed(
  nodes: readonly NodeBeforeReimage[],
  image: Image,
  request: RolloutRequest,
  protectedDisks: DiskProtection,
): void {
  const confirmed = confirmedOn(request);
  if (confirmed === undefined) return;
  const changes = nodes.flatMap((before) => {
    const seen = confirmed.get(before.node.id);
    const { system } = before;
    const config = system instanceof Failure ? undefined : system?.summary.digest;
    const reconfigured = seen && judgeConfirmedConfig(before.node.name, seen.config, config);
    if (reconfigured !== undefined) return [{ name: before.node.name, failure: reconfigured }];
    const disk = seen?.disk === undefined ? undefined : chooseDisk(before, image, request.disk, protectedDisks);
    if (disk === undefined) return [];
    const failure = disk instanceof Failure ? disk : judgeSeen(before.node.name, disk, seen);
    return failure === undefined ? [] : [{ name: before.node.name, failure }];
  });
  const [first, ...others] = changes;
  if (first === undefined) return;
  const { message, evidence } = first.failure;
  const named = message.startsWith(`${first.name}:`) ? message : `${first.name}: ${message}`;
  const more = others.length === 0 ? "" : ` (and on ${others.map(({ name }) => name).join(", ")})`;
  throw precondition(`${named}${more}${describeEvidence(evidence)}`);
}

function describeEvidence({ expected, found }: Failure["evidence"]): string {
  return expected === undefined || found === undefined ? "" : ` [confirmed: ${expected}; found: ${found}]`;
}

/** What was confirmed of one node, for its state. */
export function seenIn(confirmed: ReadonlyMap<NodeId, SeenDisk> | undefined, id: NodeId): { readonly seen?: SeenDisk } {
  const seen = confirmed?.get(id);
  return seen === undefined ? {} : { seen };
}

/** Whether a node is left alone, because only what changed is to be reimaged. */
export function isUnchanged(
  node: Node,
  image: Image,
  { onlyChanged, noResident }: RolloutRequest,
  system: NodeSystem | undefined,
): boolean {
  return onlyChanged === true && judgeUnchanged(node, image, noResident === true, system?.summary.digest) !== undefined;
}

/** Why a start has no node to do anything to. */
export function describeNothing({ retryOf }: RolloutRequest, unchanged: number): string {
  if (unchanged > 0) return "every node runs the image already; nothing to do";
  return retryOf === undefined
    ? "no node is left of those that were confirmed; plan again"
    : `no node of rollout ${retryOf} failed or was cancelled; nothing to do`;
}
