import { Failure } from "../../../proto/failure.ts";
import type { NodeSystem } from "../../profiles/node-system.ts";
import { judgeConfirmedConfig } from "../plan/judge-profiles.ts";
import { type ExecutorContext, recordOfBoard } from "./executor.ts";

/**
 * What the node's system is to be, rendered from the profiles as they are now; undefined when nothing was confirmed of it.
 * Throws a Failure (invalid) when that is no longer what was confirmed, by its digest: secrets are kept nowhere in between.
 */
export async function confirmedSystem(context: ExecutorContext): Promise<NodeSystem | undefined> {
  const { state, world } = context;
  if (state.config === undefined) return undefined;
  const node = recordOfBoard(context);
  const profiles = await world.profiles?.read();
  const system = node && (await profiles?.systemFor(node, state.imageName));
  if (system instanceof Failure) throw system;
  const changed = judgeConfirmedConfig(state.nodeName, state.config.digest, system?.summary.digest);
  if (changed !== undefined) throw changed;
  return system;
}
