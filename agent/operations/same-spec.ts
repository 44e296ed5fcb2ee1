import { isDeepStrictEqual } from "node:util";
import type { OperationSpec } from "../../proto/operation/operation-spec.ts";

/** Whether two specs ask for exactly the same work, so that a repeated request can be told from a clash of ids. */
export function sameSpec(one: OperationSpec, other: OperationSpec): boolean {
  return isDeepStrictEqual(one, other);
}
