import { exitCodeOfSignal } from "../../../proto/linux/stop-signals.ts";
import { pause } from "../../../proto/time/pause.ts";
import { type CommandContext, StopRequested } from "../connection/command-context.ts";
import { followSteadily } from "../connection/follow-steadily.ts";
import { printable } from "../render/printable.ts";
import { shellWord } from "../render/shell-word.ts";
import { exitCode } from "../terminal/exit-code.ts";
import { hasEnded, hasProofs, type RolloutView, viewRollout } from "../view/rollout-view.ts";
import { choosePresenter } from "./rollout-presenter.ts";
import { hasFailed } from "./rollout-progress.ts";

/** What of every node is waited for: its proof, or also its first-boot tasks. */
export const waitsFor = ["proved", "configured"] as const;
export type WaitFor = (typeof waitsFor)[number];

/** How to watch a rollout again, or to cancel it. */
export function describeReturn({ commandLine }: CommandContext, rolloutId: string): string[] {
  const id = printable(rolloutId);
  return [`  watch it again:  ${commandLine(`watch ${id}`)}`, `  cancel it:       ${commandLine(`cancel ${id}`)}`];
}

/**
 * Shows a rollout until it ends, even if the connection is lost in between.
 *
 * @param isKnown whether the controller has just answered, so that even an immediate loss is worth waiting for
 * @param waitFor until when to watch: to its end, or until no more proofs come
 * @returns the exit code: done if every node is proved and, where that is waited for, its tasks have succeeded; the signal's
 *   if the operator stopped watching
 */
export async function watchRollout(
  context: CommandContext,
  rolloutId: string,
  isKnown: boolean,
  waitFor: WaitFor = "configured",
): Promise<number> {
  const { signal, effects, connect, note, hint, commandLine } = context;
  const presenter = choosePresenter(context);
  const watching = new AbortController();
  const ticking = (async () => {
    while (!watching.signal.aborted) {
      await pause(effects.clock, 1000, watching.signal);
      presenter.tick();
    }
  })().catch((error: unknown) => {
    if (!watching.signal.aborted) throw error;
  });

  const isAwaited = (rollout: RolloutView): boolean =>
    !hasEnded(rollout) && !(waitFor === "proved" && hasProofs(rollout));
  let last: RolloutView | undefined;
  try {
    const states = followSteadily({
      connect,
      open: (client) => client.watchRollout({ rolloutId }, signal),
      isComplete: () => last !== undefined && !isAwaited(last),
      isKnown,
      signal,
      clock: effects.monotonicClock,
      onLost: (lostForMs) => presenter.lost(lostForMs),
      onBack: () => presenter.back(),
    });
    for await (const { rollout } of states) {
      if (rollout === undefined) continue;
      last = viewRollout(rollout);
      presenter.show(last);
      if (!isAwaited(last)) break;
    }
  } catch (error) {
    presenter.stop();
    if (!(error instanceof StopRequested)) throw error;
    note([
      `Stopped watching. Rollout ${printable(rolloutId)} continues in the controller.`,
      ...describeReturn(context, rolloutId),
    ]);
    return exitCodeOfSignal(error.stopSignal);
  } finally {
    watching.abort();
    await ticking;
  }
  presenter.stop();
  if (last === undefined) return exitCode.failed;
  presenter.end(last);
  const proved = last.reimages.filter(({ phase }) => phase === "proved");
  if (waitFor === "proved" && proved.length === last.reimages.length) {
    if (!hasEnded(last)) hint([`their tasks still run: ${commandLine(`watch ${printable(rolloutId)}`)}`]);
    return exitCode.done;
  }
  if (last.state === "succeeded") return exitCode.done;
  if (proved.length < last.reimages.length)
    hint([`try the nodes that failed again, alone: ${commandLine(`rollout retry ${printable(rolloutId)}`)}`]);
  const unconfigured = proved.filter(hasFailed).map(({ nodeName }) => shellWord(printable(nodeName)));
  if (unconfigured.length > 0)
    hint([`once the cause is mended, try failed tasks again: ${commandLine(`tasks retry ${unconfigured.join(" ")}`)}`]);
  return exitCode.failed;
}
