// What is left of a state database after a crash, and what was done to its files since.
import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, beforeEach, describe, it } from "node:test";
import type { RolloutRecord } from "../../../../controller/reimage/machine/reimage-state.ts";
import { openStore, type Store } from "../../../../controller/store/open-store.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import { aNode } from "../boot/a-node.ts";

const node = (number: number) =>
  aNode({ id: `b8:27:eb:00:00:${String(number).padStart(2, "0")}` as NodeId, name: `rack-${number}` });
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("a state database", () => {
  let folder: string;
  let crashed: string;
  let number = 0;
  const open: Store[] = [];
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "pallet-lost-"));
  });
  after(() => {
    for (const store of open) store.close();
    rmSync(folder, { recursive: true });
  });

  /** The files as a crash leaves them, of a store that was checkpointed with 50 nodes and changed 5 times since. */
  beforeEach(() => {
    number += 1;
    const file = path.join(folder, `running-${number}`, "pallet.sqlite");
    const store = openStore(file);
    open.push(store);
    store.nodes.saveAll(numbers(1, 50).map(node));
    store.journal.create({
      rollout: { id: "r", startedAt: 1, endedAt: 2 } as unknown as RolloutRecord,
      reimages: [],
    });
    store.checkpoint();
    store.backUp();
    for (const each of numbers(51, 55)) store.nodes.save(node(each));
    const target = path.join(folder, `crashed-${number}`);
    mkdirSync(target);
    for (const name of readdirSync(path.dirname(file)))
      copyFileSync(path.join(path.dirname(file), name), path.join(target, name));
    crashed = path.join(target, "pallet.sqlite");
  });

  function reopen(): { readonly nodes: number; readonly lost: number } {
    const store = openStore(crashed);
    const found = { nodes: store.nodes.all().length, lost: store.lostChanges };
    store.close();
    return found;
  }

  it("is whole after a crash, and its own file soon holds everything", () => {
    assert.deepEqual(reopen(), { nodes: 55, lost: 0 });
    const alone = new DatabaseSync(crashed, { readOnly: true });
    assert.equal(alone.prepare("SELECT count(*) AS n FROM nodes").get()?.["n"], 55);
    alone.close();
  });

  it("is not nearly empty beside its log while it is open, not even when it was just made", () => {
    const file = path.join(folder, `new-${number}`, "pallet.sqlite");
    const store = openStore(file);
    open.push(store);
    store.nodes.save(node(1));
    store.checkpoint();
    const copy = `${file}.alone`;
    copyFileSync(file, copy);
    const alone = new DatabaseSync(copy, { readOnly: true });
    assert.equal(alone.prepare("SELECT count(*) AS n FROM nodes").get()?.["n"], 1);
    alone.close();
  });

  const lesser: Record<string, () => void> = {
    "is missing": () => rmSync(`${crashed}-wal`),
    "is empty": () => truncateSync(`${crashed}-wal`, 0),
    "was cut off in the middle": () => truncateSync(`${crashed}-wal`, readFileSync(`${crashed}-wal`).length / 2),
    "has a damaged header": () => flip(`${crashed}-wal`, 8),
    "has a damaged frame": () => flip(`${crashed}-wal`, 32 + 24 + 100),
    "has frames with another salt": () => flip(`${crashed}-wal`, 32 + 8),
  };
  for (const [what, happens] of Object.entries(lesser)) {
    it(`tells how much it lost when its write-ahead log ${what}, and keeps the rest`, () => {
      happens();
      const { nodes, lost } = reopen();
      assert.ok(nodes >= 50 && nodes < 55, `${nodes} nodes`);
      assert.equal(lost, 55 - nodes);
      // Said once: from here on that is what there is.
      assert.equal(reopen().lost, 0);
    });
  }

  it("does not mind a stale index of its log", () => {
    writeFileSync(`${crashed}-shm`, Buffer.alloc(32_768, 0xa5));
    assert.deepEqual(reopen(), { nodes: 55, lost: 0 });
  });

  const emptied: Record<string, () => void> = {
    "was removed": () => rmSync(crashed),
    "was removed with its log": () => {
      rmSync(crashed);
      rmSync(`${crashed}-wal`);
    },
    "is empty": () => {
      truncateSync(crashed, 0);
      truncateSync(`${crashed}-wal`, 0);
    },
    "was replaced by a new one": () => {
      const elsewhere = path.join(folder, `elsewhere-${number}`, "pallet.sqlite");
      openStore(elsewhere).close();
      rmSync(`${crashed}-wal`);
      copyFileSync(elsewhere, crashed);
    },
  };
  for (const [what, happens] of Object.entries(emptied)) {
    it(`never starts empty where there was a rack: its file ${what}`, () => {
      happens();
      const wanted = new RegExp(
        `${escaped(crashed)} is empty, but it knew 55 nodes.*${escaped(crashed)}-wal.*` +
          `cp ${escaped(crashed)}\\.backup ${escaped(crashed)}.*remove ${escaped(crashed)}\\.mark`,
      );
      assert.throws(reopen, wanted);
      assert.throws(reopen, wanted, "the second time too");
    });
  }

  it("takes its files back when they are put back after such a refusal", () => {
    const kept = { main: readFileSync(crashed), log: readFileSync(`${crashed}-wal`) };
    rmSync(crashed);
    rmSync(`${crashed}-wal`);
    assert.throws(reopen);
    writeFileSync(crashed, kept.main);
    writeFileSync(`${crashed}-wal`, kept.log);
    assert.deepEqual(reopen(), { nodes: 55, lost: 0 });
  });

  it("starts from the copy of its nodes, which has no rollout that could go on", () => {
    rmSync(crashed);
    rmSync(`${crashed}-wal`);
    copyFileSync(`${crashed}.backup`, crashed);
    const store = openStore(crashed);
    assert.equal(store.nodes.all().length, 50);
    assert.ok(store.lostChanges > 0);
    assert.deepEqual(store.journal.list(), []);
    store.close();
  });

  it("begins anew when its mark is removed too", () => {
    for (const name of readdirSync(path.dirname(crashed))) rmSync(path.join(path.dirname(crashed), name));
    assert.deepEqual(reopen(), { nodes: 0, lost: 0 });
  });

  it("may become empty by forgetting", () => {
    const store = openStore(crashed);
    for (const { id } of store.nodes.all()) store.nodes.remove(id);
    store.close();
    assert.deepEqual(reopen(), { nodes: 0, lost: 0 });
  });

  it("of an older Pallet, which kept no mark, opens as ever", () => {
    rmSync(`${crashed}.mark`);
    assert.deepEqual(reopen(), { nodes: 55, lost: 0 });
    assert.ok(existsSync(`${crashed}.mark`));
  });

  it("with damaged nodes is refused, with its file and the remedy", () => {
    openStore(crashed).close();
    const bytes = readFileSync(crashed);
    for (let page = 1; page < bytes.length / 4096; page++)
      if (bytes[page * 4096] === 0x0d) bytes.fill(0xa5, page * 4096, page * 4096 + 200);
    writeFileSync(crashed, bytes);
    assert.throws(reopen, new RegExp(`state database ${escaped(crashed)}.*the file is damaged.*cp \\S+backup`, "s"));
  });

  it("of another program is refused, and left as it is", () => {
    for (const name of readdirSync(path.dirname(crashed))) rmSync(path.join(path.dirname(crashed), name));
    const foreign = new DatabaseSync(crashed);
    foreign.exec("CREATE TABLE moz_places (x)");
    foreign.close();
    const before = readFileSync(crashed);
    assert.throws(reopen, /it is another program's database \(its tables: moz_places\).*stateDirectory/);
    assert.deepEqual(readFileSync(crashed), before);
  });

  it("in whose place a folder is, is refused by name", () => {
    const odd = path.join(folder, `odd-${number}`);
    mkdirSync(path.join(odd, "pallet.sqlite"), { recursive: true });
    assert.throws(() => openStore(path.join(odd, "pallet.sqlite")), /cannot use the state database \S+odd-\d+\/pallet/);
  });
});

function flip(file: string, position: number): void {
  const bytes = readFileSync(file);
  bytes[position] = (bytes[position] ?? 0) ^ 0xff;
  writeFileSync(file, bytes);
}

function escaped(text: string): string {
  return text.replace(/[.\\]/g, "\\$&");
}
