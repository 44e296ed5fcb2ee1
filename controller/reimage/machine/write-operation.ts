import type { OperationId } from "../../../proto/operation/operation.ts";
import type { ReimageId } from "../plan/rollout.ts";

/** The id under which an agent knows a reimage's write. Every attempt has its own. */
export function writeOperationId(reimageId: ReimageId, attempt: number): OperationId {
  return `${reimageId}-${attempt}` as OperationId;
}

/**
 * Whose operation it is that keeps a write from starting: this reimage's own, of an attempt that was taken for lost; one
 * that a reimage has left behind which has ended since, as a node has one at most; or something else's.
 */
export function judgeOccupant(reimageId: ReimageId, operationId: string): "own" | "left-behind" | "foreign" {
  const [, owner] = /^(.+)-\d+$/.exec(operationId) ?? [];
  if (owner === reimageId) return "own";
  return owner !== undefined && uuid.test(owner) ? "left-behind" : "foreign";
}

/** The form of the ids of reimages: operators' own operations have others. */
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
