import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, beforeEach, describe, it } from "node:test";
import type { HookCall } from "../../../../controller/hooks/hook.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import type { ReimageState, RolloutRecord } from "../../../../controller/reimage/machine/reimage-state.ts";
import { createEventRows } from "../../../../controller/store/event-rows.ts";
import { openStore } from "../../../../controller/store/open-store.ts";
import { migrate, migrations } from "../../../../controller/store/schema.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";

const bare: Node = {
  id: "b8:27:eb:00:00:01" as NodeId,
  name: "node-000001",
  accepted: false,
  bootTarget: { kind: "agent" },
  lastSeenAt: 10,
  discoveredAt: 5,
};
const full: Node = {
  ...bare,
  id: "b8:27:eb:00:00:02" as NodeId,
  name: "rack-2",
  accepted: true,
  bootTarget: { kind: "local", imageDigest: "a".repeat(64) as ImageDigest },
  address: "10.0.0.2",
  bootAddress: "10.0.0.99",
  facts: {
    model: "Pi",
    serial: "ff",
    interfaces: [{ name: "eth0", mac: "b8:27:eb:00:00:02", addresses: ["10.0.0.2"] }],
    memoryBytes: 4e9,
    cpuCount: 4,
    cpuModel: "A72",
    temperatureCelsius: 41.5,
    kernel: "6.1",
    architecture: "arm64",
    bootId: "b",
    root: { source: "/dev/mmcblk0p2", filesystemType: "ext4", disk: "/dev/mmcblk0" },
    hostname: "pi",
    uptimeSeconds: 3,
  },
  agent: {
    version: "0.1.0",
    role: "resident",
    instanceId: "i",
    port: 7710,
    installed: {
      imageName: "debian",
      imageDigest: "a".repeat(64) as ImageDigest,
      reimageId: "r",
      installedAt: "2026-01-01T00:00:00.000Z",
    },
  },
  agentSeenAt: 20,
  bootStage: { path: "agent/vmlinuz", at: 15 },
  boots: {
    boots: 4,
    firstAt: 1,
    lastAt: 9,
    recent: [1, 3, 6, 9],
    label: "local",
    expected: true,
    reached: "kernel",
    trouble: "boot-loop",
  },
  proved: { imageName: "debian", imageDigest: "a".repeat(64) as ImageDigest, kind: "resident" },
  labels: { rack: "a", "pallet.example/shelf": "" },
  installation: {
    imageDigest: "a".repeat(64) as ImageDigest,
    reimageId: "r",
    root: { partitionUuid: "deadbeef-02", filesystemUuid: "" },
  },
  board: { serial: "ff", replaced: { ...bare, serial: "fe", since: 30, bootTarget: { kind: "agent" } } },
};

describe("store", () => {
  let folder: string;
  let file: string;
  let number = 0;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "pallet-store-"));
  });
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    number += 1;
    file = path.join(folder, `state-${number}`, "pallet.sqlite");
  });

  it("gives nodes back as they were saved, after it was opened again", () => {
    const first = openStore(file);
    first.nodes.save(bare);
    first.nodes.saveAll([{ ...bare, name: "renamed" }, full]);
    first.close();
    const second = openStore(file);
    assert.deepEqual(second.nodes.all(), [full, { ...bare, name: "renamed" }]);
    second.nodes.remove(full.id);
    assert.equal(second.nodes.all().length, 1);
    second.close();
  });

  it("knows of no installation and no labels in a database of a Pallet that kept none", () => {
    mkdirSync(path.dirname(file), { recursive: true });
    const database = new DatabaseSync(file);
    migrate(database, migrations.slice(0, 3));
    database.exec(
      "INSERT INTO nodes (id, name, accepted, boot_target, last_seen_at, discovered_at) " +
        `VALUES ('${bare.id}', '${bare.name}', 0, 'agent', 10, 5)`,
    );
    database.close();
    const store = openStore(file);
    assert.deepEqual(store.nodes.all(), [bare]);
    store.close();
  });

  it("takes back what a node no longer has", () => {
    const store = openStore(":memory:");
    store.nodes.save(full);
    store.nodes.save({ ...bare, id: full.id });
    assert.deepEqual(store.nodes.all(), [{ ...bare, id: full.id }]);
  });

  it("saves many nodes or none", () => {
    const store = openStore(":memory:");
    assert.throws(() => store.nodes.saveAll([full, { ...bare, name: full.name }]), /UNIQUE/);
    assert.deepEqual(store.nodes.all(), []);
    store.nodes.save(bare);
    assert.equal(store.nodes.all().length, 1);
  });

  it("counts events on after pruning and reopening, never reusing an id", () => {
    const event = { at: 1, type: "node-discovered", severity: "info", message: "m" } as const;
    const first = openStore(file);
    assert.equal(first.events.lastId(), 0);
    for (let id = 1; id <= 5; id++) assert.equal(first.events.add(event), id);
    first.events.cut([{ types: [event.type], keep: 2 }]);
    assert.deepEqual(
      first.events.read({ afterId: 0, count: 10, prefer: "oldest" }).map(({ id }) => id),
      [4, 5],
    );
    first.events.cut([{ types: [event.type], keep: 0 }]);
    first.close();
    const second = openStore(file);
    assert.equal(second.events.lastId(), 5);
    assert.equal(second.events.add(event), 6);
    second.close();
  });

  it("counts events by type and node, and cuts each by itself", () => {
    const { events } = openStore(":memory:");
    const event = { at: 1, severity: "info", message: "m" } as const;
    for (let each = 0; each < 3; each++) {
      events.add({ ...event, type: "node-registered", nodeId: bare.id });
      events.add({ ...event, type: "boot-file-fetched", nodeId: bare.id });
      events.add({ ...event, type: "boot-file-fetched" });
    }
    assert.deepEqual(events.tally(), [
      { type: "boot-file-fetched", count: 3 },
      { type: "boot-file-fetched", count: 3, nodeId: bare.id },
      { type: "node-registered", count: 3, nodeId: bare.id },
    ]);
    events.cut([
      { types: ["boot-file-fetched"], keep: 1 },
      { types: ["boot-file-fetched", "node-registered"], nodeId: bare.id, keep: 3 },
    ]);
    assert.deepEqual(
      events.read({ afterId: 0, count: 10, prefer: "oldest" }).map(({ id }) => id),
      [5, 7, 8, 9],
    );
  });

  it("reads events by node and rollout, the oldest or the newest", () => {
    const { events } = openStore(":memory:");
    const event = { at: 1, type: "node-registered", severity: "warning", message: "m" } as const;
    const one = events.add({ ...event, nodeId: bare.id, nodeName: "n", rolloutId: "r" });
    events.add(event);
    const three = events.add({ ...event, nodeId: bare.id, nodeName: "n" });
    const ids = (query: object): number[] =>
      events.read({ afterId: 0, count: 10, prefer: "oldest", ...query }).map(({ id }) => id);
    assert.deepEqual(ids({ nodeId: bare.id }), [one, three]);
    assert.deepEqual(ids({ rolloutId: "r" }), [one]);
    assert.deepEqual(ids({ nodeId: bare.id, afterId: one }), [three]);
    assert.deepEqual(ids({ count: 2, prefer: "newest" }), [2, 3]);
    assert.deepEqual(events.read({ afterId: 0, count: 1, prefer: "oldest" }), [
      { ...event, id: 1, nodeId: bare.id, nodeName: "n", rolloutId: "r" },
    ]);
  });

  it("keeps hooks that are still to run, in their order and each once", () => {
    const call = (id: string): HookCall => ({
      ...{ id, hook: "announce", when: "after-proved", nodeId: "02:00:00:00:00:01", nodeName: "pi-1", rolloutId: "r1" },
      body: `{"id":"${id}"}`,
    });
    const first = openStore(file);
    first.hooks.add([call("b"), call("a")]);
    first.hooks.add([{ ...call("b"), body: "{}" }, call("c")]);
    first.hooks.remove("a");
    first.close();
    const second = openStore(file);
    assert.deepEqual(second.hooks.list(), [call("b"), call("c")]);
    second.close();
  });

  it("keeps settings", () => {
    const first = openStore(file);
    first.settings.set("a", "1");
    first.settings.set("a", "2");
    first.close();
    const second = openStore(file);
    assert.equal(second.settings.get("a"), "2");
    assert.equal(second.settings.get("b"), undefined);
    second.close();
  });

  describe("journal", () => {
    const rollout = { id: "r1", imageName: "debian", startedAt: 1 } as RolloutRecord;
    const reimage = (id: string, phase: string): ReimageState =>
      ({ id, rolloutId: "r1", phase: { name: phase } }) as unknown as ReimageState;

    it("waits for the disk again after an event, which does not", () => {
      const database = new DatabaseSync(":memory:");
      migrate(database);
      const events = createEventRows(database);
      const synchronous = () => database.prepare("PRAGMA synchronous").get()?.["synchronous"];
      events.add({ at: 1, type: "node-registered", severity: "info", message: "m" });
      assert.equal(synchronous(), 2);
      assert.throws(() => events.add({ at: 1, type: "node-registered", severity: "info", message: null as never }));
      assert.equal(synchronous(), 2);
      database.close();
    });

    it("forgets the oldest that have ended, with their reimages, and none that has not", () => {
      const { journal } = openStore(":memory:");
      const numbered = (number: number, endedAt?: number): RolloutRecord =>
        ({ ...rollout, id: `r${number}`, ...(endedAt !== undefined && { endedAt }) }) as RolloutRecord;
      journal.create({ rollout: numbered(1), reimages: [reimage("a", "queued")] });
      for (let number = 2; number <= 302; number++) {
        const own = { ...reimage(`b${number}`, "proved"), rolloutId: `r${number}` } as ReimageState;
        journal.create({ rollout: numbered(number, 9), reimages: [own] });
      }
      assert.deepEqual(
        journal.list().map((entry) => [entry.rollout.id, entry.reimages.length]),
        [...Array.from({ length: 200 }, (_, index) => [`r${302 - index}`, 1]), ["r1", 1]],
      );
      assert.equal(journal.get("r102" as RolloutRecord["id"]), undefined);
    });

    it("gives rollouts back newest first with their reimages in the order given, after reopening", () => {
      const first = openStore(file);
      first.journal.create({ rollout, reimages: [reimage("z", "queued"), reimage("a", "queued")] });
      first.journal.create({ rollout: { ...rollout, id: "r2" } as RolloutRecord, reimages: [] });
      first.journal.saveReimage(reimage("z", "writing"));
      first.close();
      const { journal, close } = openStore(file);
      assert.deepEqual(
        journal.list().map((entry) => entry.rollout.id),
        ["r2", "r1"],
      );
      assert.deepEqual(journal.get(rollout.id)?.reimages, [reimage("z", "writing"), reimage("a", "queued")]);
      assert.equal(journal.get("r3" as RolloutRecord["id"]), undefined);
      close();
    });

    it("knows which rollouts have not ended", () => {
      const { journal } = openStore(":memory:");
      journal.create({ rollout, reimages: [] });
      journal.create({ rollout: { ...rollout, id: "r2" } as RolloutRecord, reimages: [] });
      journal.saveRollout({ ...rollout, endedAt: 9 });
      assert.deepEqual(
        journal.unended().map((entry) => entry.rollout.id),
        ["r2"],
      );
    });

    it("creates a rollout with all its reimages or not at all", () => {
      const { journal } = openStore(":memory:");
      assert.throws(() => journal.create({ rollout, reimages: [reimage("a", "queued"), reimage("a", "queued")] }));
      assert.deepEqual(journal.list(), []);
    });

    it("refuses to save what was never created", () => {
      const { journal } = openStore(":memory:");
      assert.throws(() => journal.saveRollout(rollout), /no rollout r1/);
      assert.throws(() => journal.saveReimage(reimage("a", "queued")), /no reimage a of r1/);
    });
  });

  describe("opening", () => {
    it("refuses a database of a newer Pallet and leaves it alone", () => {
      openStore(file).close();
      const database = new DatabaseSync(file);
      database.exec("PRAGMA user_version = 999");
      database.close();
      assert.throws(() => openStore(file), /pallet\.sqlite: .*schema version 999.*written by a newer Pallet/s);
    });

    it("refuses a database that another controller has open", () => {
      const first = openStore(file);
      assert.throws(() => openStore(file, { busyTimeoutMs: 1 }), /locked.*another controller has it open/s);
      first.close();
      openStore(file).close();
    });

    it("refuses a file that is no database", () => {
      openStore(file).close();
      writeFileSync(file, "no database at all, ".repeat(100));
      assert.throws(
        () => openStore(file),
        /pallet\.sqlite: file is not a database; the file is damaged.*move it and \S+-wal away/,
      );
    });

    it("writes ahead, so that a power cut leaves the last commit", () => {
      openStore(file).close();
      const database = new DatabaseSync(file);
      assert.equal(database.prepare("PRAGMA journal_mode").get()?.["journal_mode"], "wal");
      database.close();
    });
  });
});

describe("migrate", () => {
  it("takes only the steps that a database has not seen, each once", () => {
    const database = new DatabaseSync(":memory:");
    migrate(database, []);
    migrate(database, ["CREATE TABLE a (x)"]);
    database.exec("INSERT INTO a VALUES (1)");
    migrate(database, ["CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y DEFAULT 7"]);
    migrate(database, ["CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y DEFAULT 7"]);
    assert.deepEqual({ ...database.prepare("SELECT x, y FROM a").get() }, { x: 1, y: 7 });
  });

  it("leaves a database as it was when a step fails", () => {
    const database = new DatabaseSync(":memory:");
    assert.throws(() => migrate(database, ["CREATE TABLE a (x); CREATE TABLE a (x)"]), /already exists/);
    assert.equal(database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"], 0);
    assert.equal(database.prepare("PRAGMA user_version").get()?.["user_version"], 0);
  });

  it("brings an empty database to the newest schema", () => {
    const database = new DatabaseSync(":memory:");
    migrate(database);
    assert.equal(database.prepare("PRAGMA user_version").get()?.["user_version"], migrations.length);
  });
});
