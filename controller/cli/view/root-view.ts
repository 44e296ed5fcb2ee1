import type { Root } from "../../../proto/gen/pallet/v1/controller.ts";
import { type RootState, rootStates } from "../../../proto/words/root-state.ts";
import { toNumber, toText, toTime } from "./wire-values.ts";

/** A version of the root filesystem as `--json` shows it. */
export interface RootView {
  readonly id: string;
  readonly state: RootState | "unknown";
  readonly madeAt: string | null;
  readonly kernelRelease: string | null;
  /** Files that several versions share count in each; null if it does not say. */
  readonly sizeBytes: number | null;
  readonly agentDigest: string | null;
  readonly users: readonly {
    readonly node: string;
    readonly online: boolean;
    /** Whether it is only known that the node may run from it. */
    readonly uncertain: boolean;
  }[];
}

/** A version as it came over the wire. */
export function viewRoot({ id, state, madeAt, kernelRelease, sizeBytes, agentDigest, users }: Root): RootView {
  const size = toNumber(sizeBytes);
  return {
    id,
    state: rootStates.fromWire(state) ?? "unknown",
    madeAt: toTime(madeAt),
    kernelRelease: toText(kernelRelease),
    sizeBytes: size === 0 ? null : size,
    agentDigest: toText(agentDigest),
    users: users.map(({ nodeName, online, uncertain }) => ({ node: nodeName, online, uncertain })),
  };
}
