import { Failure } from "../../../proto/failure.ts";
import type { NodeSystem } from "../../profiles/node-system.ts";
import { judgeCard } from "../machine/verdict.ts";
import { judgeConfirmedConfig } from "../plan/judge-profiles.ts";
import { type ExecutorContext, recordOfBoard } from "./executor.ts";
import { beforeOccasion } from "./run-hooks.ts";

/**
 * What the node's system is to be, rendered from the profiles as they are now; undefined when nothing was confirmed of it.
 * Throws a Failure (invalid) when that is no longer what was confirmed, by its digest: secrets are kept nowhere in between. What hooks
 * give is no part of that digest; a Failure (hook-failed) when they had to be asked again, and one failed.
 */
export async function confirmedSystem(context: ExecutorContext): Promise<NodeSystem | undefined> {
  const { state, world } = context;
  if (state.config === undefined) return undefined;
  const node = recordOfBoard(context);
  const profiles = await world.profiles?.read();
  const system = node && (await profiles?.systemFor(node, state.imageName));
  if (system instanceof Failure) throw system;
  const changed = judgeConfirmedConfig(
    state.nodeName,
    state.config.digest,
    system?.summary.digest,
    judgeCard(state, "untouched") !== "untouched",
  );
  if (changed !== undefined) throw changed;
  if (node === undefined || profiles === undefined || system?.fromHooks === undefined) return system;
  const given = await world.hooks.given(beforeOccasion(world.clock.now(), context), context.signal);
  const made = await profiles.systemFor(node, state.imageName, given);
  if (made instanceof Failure) throw made;
  return made;
}
