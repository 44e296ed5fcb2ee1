import type { CommandContext } from "../connection/command-context.ts";
import { formatDuration, formatMoment } from "../render/units.ts";
import { createLiveArea } from "../terminal/live-area.ts";
import type { RolloutView } from "../view/rollout-view.ts";
import { renderRolloutChanges, renderRolloutProgress } from "./render-rollout-lines.ts";
import { renderRolloutSummary } from "./render-rollout-summary.ts";
import { renderRolloutTable } from "./render-rollout-table.ts";
import { reimagePercent } from "./rollout-progress.ts";

/** Shows a rollout while it runs. */
export interface RolloutPresenter {
  /** Its latest state. */
  show(rollout: RolloutView): void;
  /** How long the connection to the controller has been lost. */
  lost(lostForMs: number): void;
  /** The connection is back. */
  back(): void;
  /** A second has passed. */
  tick(): void;
  /** Nothing more will be shown; removes what only makes sense while it runs. */
  stop(): void;
  /** The rollout has ended. */
  end(rollout: RolloutView): void;
}

const progressEveryMs = 5_000;

/** On a terminal: a table that is redrawn in place, then the summary. */
export function createLivePresenter({ effects, look, print }: CommandContext): RolloutPresenter {
  const { stdout, clock, monotonicClock } = effects;
  const area = createLiveArea(stdout);
  let shown: RolloutView | undefined;
  let shownAt = monotonicClock.now();
  let notice: string | undefined;
  const draw = () => {
    if (shown === undefined) return;
    const { columns, rows } = stdout.size();
    area.draw(
      renderRolloutTable(shown, {
        ...look,
        // Some terminals wrap a line that fills the last column.
        width: Math.max(1, columns - 1),
        height: Math.max(1, rows - 1),
        now: clock.now(),
        knownForMs: monotonicClock.now() - shownAt,
        ...(notice !== undefined && { notice }),
      }),
    );
  };
  return {
    show: (rollout) => {
      shown = rollout;
      shownAt = monotonicClock.now();
      draw();
    },
    lost: (lostForMs) => {
      notice = `The controller has not answered for ${formatDuration(lostForMs)}; retrying. This is the last known state.`;
      draw();
    },
    back: () => {
      notice = undefined;
    },
    tick: draw,
    stop: () => area.clear(),
    end: (rollout) => print(renderRolloutSummary(rollout, look, clock.now())),
  };
}

/** For logs and pipes: a line for every change of phase, a line about the whole every few seconds, the summary. */
export function createLinePresenter({ effects, look, print }: CommandContext): RolloutPresenter {
  const { clock, monotonicClock } = effects;
  let shown: RolloutView | undefined;
  let progressAt = monotonicClock.now();
  let lastProgress = "";
  let isLost = false;
  const progress = () => {
    if (shown === undefined || monotonicClock.now() - progressAt < progressEveryMs) return;
    progressAt = monotonicClock.now();
    const line = renderRolloutProgress(shown, clock.now());
    // Compared without the time, to see whether anything changed.
    const news = line.slice(line.indexOf(" "));
    if (news !== lastProgress) print([line]);
    lastProgress = news;
  };
  return {
    show: (rollout) => {
      print(renderRolloutChanges(shown, rollout, clock.now()));
      shown = rollout;
      progress();
    },
    lost: () => {
      if (!isLost) print([`${formatMoment(clock.now())} the controller is not answering; retrying`]);
      isLost = true;
    },
    back: () => {
      isLost = false;
      print([`${formatMoment(clock.now())} the controller is answering again`]);
    },
    tick: () => {},
    stop: () => {},
    end: (rollout) => print(["", ...renderRolloutSummary(rollout, look, clock.now())]),
  };
}

/** For programs: one object per line for every reimage that changed, and one for the end. */
export function createJsonPresenter({ effects, printJsonLine }: CommandContext): RolloutPresenter {
  const told = new Map<string, string>();
  const line = (type: string, rolloutId: string | undefined, rest: object) =>
    printJsonLine({ type, time: new Date(effects.clock.now()).toISOString(), rolloutId: rolloutId ?? null, ...rest });
  let rolloutId: string | undefined;
  let isLost = false;
  return {
    show: (rollout) => {
      rolloutId = rollout.rolloutId;
      for (const reimage of rollout.reimages) {
        const state = JSON.stringify(reimage);
        if (told.get(reimage.reimageId) === state) continue;
        told.set(reimage.reimageId, state);
        line("reimage-changed", rolloutId, { percent: Math.floor(reimagePercent(reimage)), reimage });
      }
    },
    lost: () => {
      if (!isLost) line("connection-lost", rolloutId, {});
      isLost = true;
    },
    back: () => {
      isLost = false;
      line("connection-restored", rolloutId, {});
    },
    tick: () => {},
    stop: () => {},
    end: (rollout) => line("rollout-ended", rollout.rolloutId, { rollout }),
  };
}

/** The presenter that fits: JSON if asked for, a live table on a terminal that can move its cursor, else lines. */
export function choosePresenter(context: CommandContext): RolloutPresenter {
  if (context.isJson) return createJsonPresenter(context);
  const { stdout, env } = context.effects;
  return stdout.isTerminal && env["TERM"] !== "dumb" ? createLivePresenter(context) : createLinePresenter(context);
}
