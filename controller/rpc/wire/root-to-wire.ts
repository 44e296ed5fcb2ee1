import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import { rootStates } from "../../../proto/words/root-state.ts";
import type { JudgedRoot } from "../../roots/judge-roots.ts";

/** A version of the root filesystem as it travels. */
export function rootToWire({ root, state, users }: JudgedRoot): wire.Root {
  const { id, madeAt, manifest } = root;
  return {
    id,
    state: rootStates.toWire(state),
    madeAt: new Date(madeAt),
    kernelRelease: manifest.kernelRelease ?? "",
    sizeBytes: BigInt(manifest.root?.sizeBytes ?? 0),
    agentDigest: manifest.agent?.digest ?? "",
    users: users.map(({ name, isOnline, isUncertain }) => ({
      nodeName: name,
      online: isOnline,
      uncertain: isUncertain,
    })),
  };
}
