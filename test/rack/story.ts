import { type Reimage, ReimagePhase, type Rollout, RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import type { Board } from "./board.ts";
import { keepLogs } from "./kept-logs.ts";
import type { Rack } from "./rack.ts";

/**
 * Runs one test's body; when it fails, the error says what controller and boards said last, and where all of it is
 * kept.
 */
export async function tell(rack: Rack, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    const logs = await keepLogs(rack).catch((second: unknown) => `(not kept: ${String(second)})`);
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${message}\n${rack.lastWords()}\n--- all that they said: ${logs}`, { cause: error });
  }
}

/** Starts `controller reimage ARGS --yes` without watching it; returns the id of the rollout. */
export async function startReimage(rack: Rack, ...args: readonly string[]): Promise<string> {
  const output = await rack.palletOk("reimage", ...args, "--yes", "--detach", "--json");
  for (const line of output.trim().split("\n")) {
    const message = JSON.parse(line) as { type?: string; rolloutId?: string };
    if (message.type === "rollout-started" && message.rolloutId !== undefined) return message.rolloutId;
  }
  throw new Error(`reimage told no rollout id:\n${output}`);
}

/** The reimage of one board in a rollout. */
export function reimageOf(rollout: Rollout, board: Board): Reimage {
  const found = rollout.reimages.find(({ nodeId }) => nodeId === board.mac);
  if (found === undefined) throw new Error(`rollout ${rollout.rolloutId} does not mean ${board.mac}`);
  return found;
}

/** Whether nothing of the rollout will change any more. */
export function hasEnded({ state }: Rollout): boolean {
  return state !== RolloutState.ROLLOUT_STATE_RUNNING && state !== RolloutState.ROLLOUT_STATE_UNSPECIFIED;
}

/** Whether that much of the image has been written to the board's card, and the writing still continues. */
export function isWriting(board: Board, atLeastBytes: number): (rollout: Rollout) => boolean {
  return (rollout) => {
    const { phase, progress } = reimageOf(rollout, board);
    return phase === ReimagePhase.REIMAGE_PHASE_WRITING && Number(progress?.written?.done ?? 0n) >= atLeastBytes;
  };
}

/** Whether the board has got some of what it has to fetch, and at least half of that is still to come. */
export function isFetching(board: Board): (rollout: Rollout) => boolean {
  return (rollout) => {
    const { phase, progress } = reimageOf(rollout, board);
    const { done = 0n, total = 0n } = progress?.read ?? {};
    return phase === ReimagePhase.REIMAGE_PHASE_WRITING && done > 0n && 2n * done <= total;
  };
}

/** Waits until the board counts as silent, which it does only after three missed heartbeats, for the first time. */
export async function wentSilent(rack: Rack, board: Board): Promise<void> {
  await rack.client.event(({ type, nodeId }) => type === "node-went-silent" && nodeId === board.mac);
}

/** Waits until the rollout has ended. */
export function end(rack: Rack, rolloutId: string, timeoutMs = 90_000): Promise<Rollout> {
  return rack.client.rollout(rolloutId, hasEnded, { timeoutMs });
}
