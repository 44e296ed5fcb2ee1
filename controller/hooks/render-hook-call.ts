import type { Failure } from "../../proto/failure.ts";
import type { CardVerdict } from "../../proto/words/reimage-verdict.ts";
import { serialOf } from "../nodes/judge-board.ts";
import type { Node } from "../nodes/node.ts";
import type { Hook, HookCall, HookMoment } from "./hook.ts";

/** The version of what hooks are told. It rises when a field changes its meaning or goes, not when one is added. */
const version = 1;

/** A node whose record may be gone. */
export type HookNode = Pick<Node, "id" | "name"> & Partial<Node>;

/** Why hooks run, and for which node. */
export interface HookOccasion {
  readonly when: HookMoment;
  /** In milliseconds since the epoch; the same over restarts of the controller. */
  readonly at: number;
  readonly node: HookNode;
  readonly reimage: {
    readonly id: string;
    readonly rolloutId: string;
    readonly imageName: string;
    readonly imageDigest: string;
    /** Where it stands; an end has a verdict, too, unless an older Pallet gave it. */
    readonly phase: "preparing" | "proved" | "failed" | "cancelled";
    readonly verdict?: CardVerdict | "proved-late";
    readonly failure?: Pick<Failure, "reason" | "message">;
  };
}

/**
 * What a hook is told: JSON in the shape of Standard Webhooks ("type", "timestamp", "data"). controller/README.md, "Hooks",
 * describes it. What is not known is null.
 */
export function renderHookCall(hook: Pick<Hook, "name">, { when, at, node, reimage }: HookOccasion): HookCall {
  // A full stop would make the signed text ambiguous.
  const id = `${reimage.id}_${endOf(when, reimage.phase)}_${hook.name}`;
  const { facts, proved, bootTarget } = node;
  const told = {
    id,
    type: when,
    version,
    timestamp: new Date(at).toISOString(),
    data: {
      node: {
        id: node.id,
        name: node.name,
        labels: node.labels ?? {},
        address: node.address ?? null,
        serial: serialOf(node) || null,
        model: facts?.model || null,
        bootTarget: bootTarget?.kind ?? null,
        image: proved === undefined ? null : { name: proved.imageName, digest: proved.imageDigest },
      },
      reimage: {
        id: reimage.id,
        rollout: reimage.rolloutId,
        image: { name: reimage.imageName, digest: reimage.imageDigest },
        phase: reimage.phase,
        verdict: reimage.verdict ?? null,
        failure: reimage.failure ?? null,
      },
    },
  };
  const { rolloutId } = reimage;
  return { id, hook: hook.name, when, nodeId: node.id, nodeName: node.name, rolloutId, body: JSON.stringify(told) };
}

/** A reimage that failed can be proved late, and fail then by its tasks: one id for both would hide the second. */
function endOf(when: HookMoment, phase: HookOccasion["reimage"]["phase"]): string {
  return when === "after-failed" && phase === "proved" ? "after-failed-tasks" : when;
}
