import { type Failure, type FailureReason, failureFromWire } from "../../../proto/failure.ts";
import type { Failure as WireFailure } from "../../../proto/gen/pallet/v1/failure.ts";

/** A failure as `--json` shows it. */
export interface FailureView {
  readonly reason: FailureReason;
  readonly message: string;
  readonly range: { readonly device: string; readonly offsetBytes: number; readonly lengthBytes: number } | null;
  readonly expected: string | null;
  readonly found: string | null;
}

/** Shows one of this program's own failures. */
export function viewFailure(failure: Failure): FailureView {
  const { range, expected, found } = failure.evidence;
  return {
    reason: failure.reason,
    message: failure.message,
    range: range ?? null,
    expected: expected ?? null,
    found: found ?? null,
  };
}

/** Shows a failure from the wire; null if there is none. */
export function viewWireFailure(wire: WireFailure | undefined): FailureView | null {
  return wire === undefined ? null : viewFailure(failureFromWire(wire));
}
