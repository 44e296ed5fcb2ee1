import type { Journal, JournalEntry } from "../../../../../controller/reimage/journal.ts";

/** A journal in memory that keeps text, so that nothing survives which JSON loses. */
export interface FakeJournal extends Journal {
  /** Called after every save, with their number so far; may throw, and then the save did not happen. */
  onSave: (count: number) => void;
  /** Makes the next so many saves fail. */
  failNext: number;
  saves(): number;
}

export function createFakeJournal(): FakeJournal {
  const entries = new Map<string, { rollout: string; reimages: Map<string, string> }>();
  let count = 0;

  function saving(write: () => void): void {
    if (journal.failNext > 0) {
      journal.failNext -= 1;
      throw new Error("disk full");
    }
    write();
    count += 1;
    journal.onSave(count);
  }

  const read = (entry: { rollout: string; reimages: Map<string, string> }): JournalEntry => ({
    rollout: JSON.parse(entry.rollout),
    reimages: [...entry.reimages.values()].map((text) => JSON.parse(text)),
  });
  const list = (): JournalEntry[] => [...entries.values()].map(read).reverse();

  const journal: FakeJournal = {
    onSave: () => {},
    failNext: 0,
    saves: () => count,
    create({ rollout, reimages }) {
      saving(() => {
        const texts = new Map(reimages.map((reimage) => [reimage.id as string, JSON.stringify(reimage)]));
        entries.set(rollout.id, { rollout: JSON.stringify(rollout), reimages: texts });
      });
    },
    saveRollout(rollout) {
      saving(() => {
        const entry = entries.get(rollout.id);
        if (entry === undefined) throw new Error(`no rollout ${rollout.id}`);
        entry.rollout = JSON.stringify(rollout);
      });
    },
    saveReimage(reimage) {
      saving(() => {
        const entry = entries.get(reimage.rolloutId);
        if (entry === undefined) throw new Error(`no rollout ${reimage.rolloutId}`);
        entry.reimages.set(reimage.id, JSON.stringify(reimage));
      });
    },
    get: (id) => {
      const entry = entries.get(id);
      return entry && read(entry);
    },
    list,
    unended: () => list().filter(({ rollout }) => rollout.endedAt === undefined),
  };
  return journal;
}
