import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { JournalEntry } from "../../../../controller/reimage/journal.ts";
import type { RolloutId } from "../../../../controller/reimage/plan/rollout.ts";
import { createJournalRows } from "../../../../controller/store/journal-rows.ts";
import { migrate } from "../../../../controller/store/schema.ts";
import { createFakeRack, type FakeRack } from "./fakes/fake-rack.ts";

/** A rollout of two nodes in an accident-prone rack, and what is done to it. */
interface Story {
  readonly how?: { readonly noResident?: boolean };
  readonly play?: (rack: FakeRack, id: RolloutId) => Promise<void>;
}

const stories: Readonly<Record<string, Story>> = {
  proved: {},
  "without a resident agent": { how: { noResident: true } },
  cancelled: {
    async play(rack, id) {
      await untilWriting(rack);
      rack.rollouts().cancel(id);
    },
  },
  "cut off": {
    async play(rack) {
      await untilWriting(rack);
      rack.machine(0).powerOff();
    },
  },
};

async function untilWriting(rack: FakeRack): Promise<void> {
  const isWriting = (): boolean =>
    rack
      .rollouts()
      .list()[0]
      ?.reimages.every(({ phase }) => phase === "writing") ?? false;
  assert.ok(await rack.clock.advanceUntil(isWriting, 60_000, 1000), "the nodes do not write");
}

/** A record of the journal as it is in the database. */
export interface KeptRecord {
  readonly table: "rollouts" | "reimages";
  readonly json: unknown;
}

/** What is in the database in each story, once for each phase of each node; random ids are numbered. */
export async function tellJournalStories(): Promise<Readonly<Record<string, readonly KeptRecord[]>>> {
  const told: Record<string, readonly KeptRecord[]> = {};
  for (const [title, { how = {}, play }] of Object.entries(stories)) {
    const rack = createFakeRack(2);
    const records = new Map<string, KeptRecord>();
    rack.journal.onSave = () => {
      for (const entry of rack.journal.list()) {
        const { rollout, reimages } = recordsOf(entry);
        records.set(entry.rollout.endedAt === undefined ? "at work" : "ended", { table: "rollouts", json: rollout });
        for (const [index, { nodeName, phase }] of entry.reimages.entries()) {
          const key = `${nodeName} ${phase.name} ${Object.keys(phase).toSorted().join()}`;
          if (!records.has(key)) records.set(key, { table: "reimages", json: reimages[index] });
        }
      }
    };
    for (const machine of rack.machines) machine.powerOn();
    await rack.clock.advanceSettling(25_000);
    const id = await rack.startAll(how);
    await play?.(rack, id);
    await rack.untilEnded(id);
    told[title] = numbered([...records.values()]);
  }
  return told;
}

/** The records that the real tables keep of an entry. */
function recordsOf(entry: JournalEntry): { readonly rollout: unknown; readonly reimages: readonly unknown[] } {
  using database = new DatabaseSync(":memory:");
  migrate(database);
  createJournalRows(database).create(entry);
  const parse = (row: object | undefined): unknown => JSON.parse(String(Object.values(row ?? {})[0]));
  return {
    rollout: parse(database.prepare("SELECT record FROM rollouts").get()),
    reimages: database.prepare("SELECT state FROM reimages ORDER BY ordinal").all().map(parse),
  };
}

/** The entry that the real tables give back of a rollout with one reimage. */
export function entryOf(rollout: { readonly id: string }, reimage: { readonly id: string }): JournalEntry | undefined {
  using database = new DatabaseSync(":memory:");
  migrate(database);
  const insert = "INSERT INTO rollouts (id, ended, record) VALUES (?, 0, ?)";
  database.prepare(insert).run(rollout.id, JSON.stringify(rollout));
  const insertReimage = "INSERT INTO reimages (id, rollout_id, state) VALUES (?, ?, ?)";
  database.prepare(insertReimage).run(reimage.id, rollout.id, JSON.stringify(reimage));
  return createJournalRows(database).get(rollout.id as RolloutId);
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const rolloutId = /\d{8}-\d{6}-[a-z2-9]{4}/g;

function numbered<T>(values: T): T {
  const names = new Map<string, string>();
  const name = (kind: string) => (found: string) => {
    const known = names.get(found) ?? `${kind}-${names.size + 1}`;
    names.set(found, known);
    return known;
  };
  return JSON.parse(JSON.stringify(values).replaceAll(uuid, name("id")).replaceAll(rolloutId, name("rollout")));
}
