import type { DatabaseSync } from "node:sqlite";
import type { Journal, JournalEntry } from "../reimage/journal.ts";
import type { RolloutRecord } from "../reimage/machine/reimage-state.ts";
import { reimageFromRecord, reimageToRecord } from "./journal-record.ts";
import { type Row, textOf } from "./row.ts";
import { inTransaction } from "./transaction.ts";

/** How many ended rollouts are kept; events cover older ones. */
const endedKept = 200;

/**
 * Keeps the journal of rollouts and reimages in the tables "rollouts" and "reimages", each record as JSON. Of those
 * that have ended the newest are kept, so that neither the file nor what is read at once grows forever.
 */
export function createJournalRows(database: DatabaseSync): Journal {
  const insertRollout = database.prepare("INSERT INTO rollouts (id, ended, record) VALUES (?, ?, ?)");
  const updateRollout = database.prepare("UPDATE rollouts SET ended = ?, record = ? WHERE id = ?");
  const insertReimage = database.prepare("INSERT INTO reimages (id, rollout_id, state) VALUES (?, ?, ?)");
  const updateReimage = database.prepare("UPDATE reimages SET state = ? WHERE id = ? AND rollout_id = ?");
  // Their reimages are deleted with them.
  const pruneEnded = database.prepare(
    `DELETE FROM rollouts WHERE ended = 1 AND ordinal <=
       (SELECT ordinal FROM rollouts WHERE ended = 1 ORDER BY ordinal DESC LIMIT 1 OFFSET ?)`,
  );
  const selectRollout = database.prepare("SELECT record FROM rollouts WHERE id = ?");
  const selectRollouts = database.prepare("SELECT record FROM rollouts ORDER BY ordinal DESC");
  const selectUnended = database.prepare("SELECT record FROM rollouts WHERE ended = 0 ORDER BY ordinal DESC");
  const selectReimages = database.prepare("SELECT state FROM reimages WHERE rollout_id = ? ORDER BY ordinal");

  const entryOf = (row: Row): JournalEntry => {
    const rollout = JSON.parse(textOf(row, "record")) as RolloutRecord;
    const reimages = selectReimages.all(rollout.id).map((each) => reimageFromRecord(textOf(each, "state")));
    return { rollout, reimages };
  };

  return {
    create({ rollout, reimages }) {
      inTransaction(database, () => {
        insertRollout.run(rollout.id, endedFlag(rollout), JSON.stringify(rollout));
        for (const reimage of reimages) insertReimage.run(reimage.id, rollout.id, reimageToRecord(reimage));
        pruneEnded.run(endedKept);
      });
    },
    saveRollout(rollout) {
      const { changes } = updateRollout.run(endedFlag(rollout), JSON.stringify(rollout), rollout.id);
      if (Number(changes) !== 1) throw new Error(`the journal holds no rollout ${rollout.id}`);
    },
    saveReimage(reimage) {
      const { changes } = updateReimage.run(reimageToRecord(reimage), reimage.id, reimage.rolloutId);
      if (Number(changes) !== 1) throw new Error(`the journal holds no reimage ${reimage.id} of ${reimage.rolloutId}`);
    },
    get(id) {
      const row = selectRollout.get(id);
      return row === undefined ? undefined : entryOf(row);
    },
    list: () => selectRollouts.all().map(entryOf),
    unended: () => selectUnended.all().map(entryOf),
  };
}

function endedFlag(rollout: RolloutRecord): number {
  return rollout.endedAt === undefined ? 0 : 1;
}
