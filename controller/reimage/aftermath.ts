import type { NodeId } from "../../proto/names/node-id.ts";
import type { World } from "./executors/executor.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import { isOpen } from "./machine/afterwards.ts";
import type { Occurrence } from "./machine/reimage-event.ts";
import type { ReimageState } from "./machine/reimage-state.ts";
import type { ReimageSettings } from "./machine/settings.ts";
import { createReimageActor, type ReimageActor } from "./reimage-actor.ts";

/** Reimages of rollouts that have ended, to which news of their nodes may still mean something (see `isOpen`). */
export interface Aftermath {
  /** Keeps those of a rollout that has just ended. */
  keep(actors: Iterable<ReimageActor>): void;
  /** Takes up those of the journal's ended rollouts after a restart; `entries` newest first. */
  resume(entries: readonly JournalEntry[]): void;
  tell(id: NodeId, occurrence: Occurrence): void;
  stop(): void;
}

/** Builds it, empty. */
export function createAftermath(options: {
  readonly world: World;
  readonly journal: Journal;
  readonly settings: ReimageSettings;
}): Aftermath {
  const { world, journal, settings } = options;
  /** Of each node, oldest first. */
  const kept = new Map<NodeId, readonly ReimageActor[]>();

  function keep(actors: Iterable<ReimageActor>): void {
    for (const actor of actors) {
      const state = actor.state();
      const before = leavesCard(state) ? (kept.get(state.nodeId) ?? []) : [];
      if (isOpen(state)) kept.set(state.nodeId, [...before, actor]);
      else if (before.length === 0) kept.delete(state.nodeId);
    }
  }

  return {
    keep,
    resume(entries) {
      const ended = entries.filter(({ rollout }) => rollout.endedAt !== undefined);
      for (const { reimages } of [...ended].reverse()) {
        keep(
          reimages.map((state) =>
            createReimageActor({
              ...{ state, world, settings },
              save: (next) => journal.saveReimage(next),
              onChange() {},
            }),
          ),
        );
      }
      for (const actors of kept.values()) for (const actor of actors) actor.tell({ type: "resumed" });
    },
    tell(id, occurrence) {
      for (const actor of kept.get(id) ?? []) actor.tell(occurrence);
      const open = kept.get(id)?.filter((actor) => isOpen(actor.state())) ?? [];
      if (open.length === 0) kept.delete(id);
      else kept.set(id, open);
    },
    stop() {
      for (const actors of kept.values()) for (const actor of actors) actor.stop();
    },
  };
}

/** Whether the card still holds what it held before this reimage. */
function leavesCard({ phase }: ReimageState): boolean {
  return phase.name !== "proved" && "verdict" in phase && phase.verdict === "untouched";
}
