import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { backupFormat } from "../../../../controller/backup/about.ts";
import { createBackups } from "../../../../controller/backup/backups.ts";
import { backupNameAt, chooseOldBackups } from "../../../../controller/backup/choose-old-backups.ts";
import type { NewEvent } from "../../../../controller/events/event.ts";
import { openStore } from "../../../../controller/store/open-store.ts";

const hourMs = 3_600_000;
const nameOf = (day: number): string => backupNameAt(Date.UTC(2026, 10, day, 3, 15));

describe("the backups of a folder", () => {
  it("are named by the time, so that they sort", () => {
    assert.equal(nameOf(9), "pallet-20261109-031500.tar.zst");
  });

  for (const [title, names, keep, gone] of [
    ["the oldest go", [nameOf(3), nameOf(1), nameOf(2)], 2, [nameOf(1)]],
    ["nothing goes while there is room", [nameOf(1), nameOf(3)], 2, []],
    [
      "the new one stays when it is the only one that may",
      [nameOf(1), nameOf(2), nameOf(3)],
      1,
      [nameOf(1), nameOf(2)],
    ],
    ["what has another name is somebody else's", ["notes.txt", "pallet.tar.zst", nameOf(3)], 1, []],
    [
      "what is named later than the new one stays: the clock has lost the time",
      [nameOf(1), nameOf(2), nameOf(3), nameOf(8), nameOf(9)],
      2,
      [nameOf(1)],
    ],
  ] as const) {
    it(title, () => assert.deepEqual(chooseOldBackups(names, nameOf(3), keep), gone));
  }
});

describe("a controller whose backups are regular", () => {
  function aController() {
    const store = openStore(":memory:");
    const events: NewEvent[] = [];
    let now = 1_000_000;
    let isBroken = false;
    const about = {
      ...{ format: backupFormat, pallet: "0", schema: 1, takenAt: "2026-11-30T00:00:00.000Z", authority: "a" },
      ...{ nodes: 0, images: [], leftOut: [] },
    };
    const make = () =>
      createBackups({
        rows: store.settings,
        events: { append: (event) => void events.push(event) },
        clock: { now: () => now },
        async open() {
          if (isBroken) throw new Error("no room");
          return { about, bytes: (async function* () {})(), close: async () => undefined };
        },
      });
    const took = async (backups = make(), regular = true): Promise<void> => {
      const { id, bytes, close } = await backups.take({ withImages: false, regular }, new AbortController().signal);
      for await (const _ of bytes);
      await close();
      backups.report(id, { kind: "kept", path: "/b/one", sizeBytes: 1 });
    };
    return {
      ...{ events, make, took },
      pass: (hours: number) => {
        now += hours * hourMs;
      },
      breakDisk: () => {
        isBroken = true;
      },
    };
  }

  it("is not warned of while they come, nor where none was asked for", async () => {
    const { make, took, pass } = aController();
    const backups = make();
    pass(1000);
    assert.deepEqual(backups.waiting(), []);
    await took(backups, false);
    pass(1000);
    assert.deepEqual(backups.waiting(), []);
    await took(backups);
    pass(30);
    assert.deepEqual(backups.waiting(), []);
  });

  it("says when the next one did not come, also after a restart, and why the last try failed", async () => {
    const { make, took, pass, breakDisk, events } = aController();
    await took();
    pass(37);
    assert.match(make().waiting()[0] ?? "", /^backup: the last one is 37 hours old \(\/b\/one\); look at: systemctl/);
    breakDisk();
    await assert.rejects(took(), /no room/);
    assert.match(make().waiting()[0] ?? "", /37 hours old \(\/b\/one\); the last try failed: no room; look at/);
    assert.deepEqual(events.at(-1)?.type, "backup-failed");
  });

  it("says so where the first one has never come", async () => {
    const { make, took, pass, breakDisk } = aController();
    breakDisk();
    await assert.rejects(took(), /no room/);
    pass(48);
    assert.match(make().waiting()[0] ?? "", /^backup: none was kept in 48 hours; the last try failed: no room/);
  });
});
