import type { NodeId } from "../../proto/names/node-id.ts";
import { type Bell, createBell } from "../../proto/time/bell.ts";
import { msBetween } from "../../proto/time/boot-moment.ts";
import type { World } from "./executors/executor.ts";
import { recordEvent } from "./executors/record-event.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import { isConfiguring, mayBeConfigured } from "./machine/configuration.ts";
import { isSettled, type RolloutRecord } from "./machine/reimage-state.ts";
import type { ReimageSettings } from "./machine/settings.ts";
import type { Rollout } from "./plan/rollout.ts";
import { createReimageActor, type ReimageActor } from "./reimage-actor.ts";
import { viewRollout } from "./rollout-view.ts";
import { type CancelSummary, summariseCancel } from "./summarise-cancel.ts";

/** A rollout that has not ended: one actor for each of its nodes. */
export interface ActiveRollout {
  view(): Rollout;
  readonly actors: ReadonlyMap<NodeId, ReimageActor>;
  /** Rises with every change. */
  version(): number;
  /** Makes watchers look again: what it waits for has changed. */
  refresh(): void;
  /** Rings at every change. */
  readonly changed: Bell;
  /** Rings once, when the rollout has ended. */
  readonly ended: Bell;
  /** What it did is known when it returns, but for the writes that are being stopped. */
  cancel(): CancelSummary;
  /** Resumes every reimage where the journal left it. */
  resume(): void;
  /** Whether the node's reimage still has something to do. */
  isAtWorkOn(id: NodeId): boolean;
  stop(): void;
}

/** Resumes a journaled rollout. `onProgress` is called after every change, including the last one. */
export function createActiveRollout(options: {
  readonly entry: JournalEntry;
  readonly world: World;
  readonly journal: Journal;
  readonly settings: ReimageSettings;
  readonly onProgress: (rollout: ActiveRollout) => void;
  /** Why nodes that are ready to write are waiting. */
  readonly waitingFor: () => string | undefined;
}): ActiveRollout {
  const { entry, world, journal, settings, onProgress, waitingFor } = options;
  const { clock, log } = world;
  const changed = createBell();
  const ended = createBell();
  const stopped = new AbortController();
  let record = entry.rollout;
  let version = 0;

  const actors = new Map<NodeId, ReimageActor>(
    entry.reimages.map((state) => [
      state.nodeId,
      createReimageActor({ state, world, settings, save: (next) => journal.saveReimage(next), onChange }),
    ]),
  );

  const rollout: ActiveRollout = {
    view: () => viewRollout(record, states(), { waitingFor: waitingFor(), now: world.moment() }),
    actors,
    version: () => version,
    changed,
    ended,
    refresh() {
      version += 1;
      changed.ring();
    },
    cancel() {
      if (!record.cancelled) {
        save({ ...record, cancelled: true });
        tell("rollout-cancelled", "warning", `rollout ${record.id} of ${record.imageName} is being cancelled`);
      }
      const before = states();
      cancelAll();
      return summariseCancel(before, states());
    },
    resume() {
      // A cancellation that was journaled comes first: what it forbids must not be resumed.
      if (record.cancelled) cancelAll();
      for (const actor of actors.values()) actor.tell({ type: "resumed" });
      onChange();
    },
    isAtWorkOn(id) {
      const phase = actors.get(id)?.state().phase;
      return phase !== undefined && (isConfiguring(phase) || !isSettled(phase));
    },
    stop() {
      stopped.abort();
      for (const actor of actors.values()) actor.stop();
    },
  };

  /** Those that wait first: the end of one that is at work would give them their turn, and their nodes a reboot. */
  function cancelAll(): void {
    const waiting = [...actors.values()].filter((actor) => ["queued", "waiting"].includes(actor.state().phase.name));
    for (const actor of [...waiting, ...actors.values()]) actor.tell({ type: "cancel-requested" });
  }

  function states() {
    return [...actors.values()].map((actor) => actor.state());
  }

  function onChange(): void {
    if (record.endedAt === undefined && ![...actors.keys()].some(rollout.isAtWorkOn)) end();
    version += 1;
    changed.ring();
    onProgress(rollout);
  }

  /** The journal may refuse for a while; the rollout has not ended before it knows. */
  function end(): void {
    try {
      const tookMs = msBetween(record.began, world.moment());
      save({ ...record, endedAt: clock.now(), ...(tookMs !== undefined && { tookMs }) });
    } catch (error) {
      log.error({ err: error, rollout: record.id }, "could not journal the end of a rollout; retrying");
      clock.setTimeout(onChange, settings.retryDelayMs, stopped.signal);
      return;
    }
    const phases = states().map(({ phase }) => phase);
    const proved = phases.filter(({ name }) => name === "proved").length;
    const unconfigured = phases.filter(mayBeConfigured).length;
    const severity = proved === actors.size && unconfigured === 0 ? "info" : "error";
    const tasks = unconfigured === 0 ? "" : `; the tasks of ${unconfigured} of them have not succeeded`;
    tell(
      "rollout-ended",
      severity,
      `rollout ${record.id} ended: ${proved} of ${actors.size} nodes run ${record.imageName}${tasks}`,
    );
    ended.ring();
  }

  function save(next: RolloutRecord): void {
    journal.saveRollout(next);
    record = next;
  }

  function tell(type: "rollout-cancelled" | "rollout-ended", severity: "info" | "warning" | "error", message: string) {
    recordEvent(world, { type, severity, rolloutId: record.id, message });
  }

  return rollout;
}
