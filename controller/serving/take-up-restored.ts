import type { EventLog } from "../events/event-log.ts";
import type { Supersedes } from "../nodes/judge-stamped-system.ts";
import type { Journal } from "../reimage/journal.ts";
import type { Store } from "../store/open-store.ts";
import { keepInterrupted, type RestoredState, restoredStateIn } from "../store/restored-state.ts";

/**
 * Takes up a state that came out of a backup, before its rollouts are resumed: what happened since then it does not know. At its
 * first start, rollouts that had not ended are cancelled: going on would erase what the nodes have got meanwhile.
 *
 * @returns which stamps count more than what this state knows; undefined for a state that was never restored
 */
export function takeUpRestored({
  store,
  events,
}: {
  readonly store: Pick<Store, "settings" | "journal">;
  readonly events: Pick<EventLog, "append">;
}): Supersedes | undefined {
  const { settings, journal } = store;
  const found = restoredStateIn(settings);
  if (found === undefined) return undefined;
  if (found.interrupted !== undefined) return supersedesAfter(found, journal);
  const unended = journal.unended().map(({ rollout }) => rollout);
  for (const rollout of unended) journal.saveRollout({ ...rollout, cancelled: true });
  // Noted last: a start that is cut off in between does all of it again.
  const restored = keepInterrupted(
    settings,
    found,
    unended.map(({ id }) => id),
  );
  const message =
    `the state was restored from a backup of ${new Date(found.takenAt).toISOString()}: what happened since then is not ` +
    "known here, and nodes say by their stamps what they run" +
    (unended.length === 0 ? "" : `; cancelled: ${unended.map(({ id }) => `rollout ${id}`).join(", ")}`);
  events.append({ type: "state-restored", severity: "warning", message });
  return supersedesAfter(restored, journal);
}

/**
 * A stamp counts that is of a reimage which began after the backup, or of one that the backup has cut short: written by this
 * controller, and to its end, for the partition table comes last. Any other is older than what is known.
 */
function supersedesAfter({ takenAt, interrupted = [] }: RestoredState, journal: Pick<Journal, "list">): Supersedes {
  return (id, { reimageId, installedAt }) => {
    for (const { rollout, reimages } of journal.list()) {
      const known = reimages.find((reimage) => reimage.id === reimageId);
      if (known !== undefined) return known.nodeId === id && interrupted.includes(rollout.id);
    }
    return Date.parse(installedAt) > takenAt;
  };
}
