import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { openStore } from "../../../../controller/store/open-store.ts";
import { protectState } from "../../../../controller/store/protect-state.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";

const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);

describe("the files of the state", () => {
  let parent: string;
  let usual: number;
  beforeEach(() => {
    parent = mkdtempSync(path.join(tmpdir(), "pallet-modes-"));
    usual = process.umask(0);
  });
  afterEach(() => {
    process.umask(usual);
    rmSync(parent, { recursive: true });
  });

  it("are their owner's alone, whatever the umask: the database, its log, its mark and its copy", () => {
    const folder = path.join(parent, "state");
    const store = openStore(path.join(folder, "pallet.sqlite"));
    const id = "b8:27:eb:00:00:01" as NodeId;
    store.nodes.save({
      ...{ id, name: "n", accepted: false, bootTarget: { kind: "agent" } },
      ...{ lastSeenAt: 1, discoveredAt: 1 },
    });
    store.events.add({ at: 1, type: "node-discovered", severity: "info", message: "m" });
    store.backUp();
    const modes = Object.fromEntries(readdirSync(folder).map((name) => [name, modeOf(path.join(folder, name))]));
    store.close();
    assert.deepEqual(modes, {
      "pallet.sqlite": "600",
      "pallet.sqlite-wal": "600",
      "pallet.sqlite.backup": "600",
      "pallet.sqlite.mark": "600",
    });
    assert.equal(modeOf(folder), "700");
  });

  it("of an earlier Pallet are closed to others", () => {
    const names = ["pallet.sqlite", "pallet.sqlite-wal", "pallet.sqlite.mark", "pallet.sqlite.backup"];
    for (const name of names) writeFileSync(path.join(parent, name), "");
    chmodSync(parent, 0o755);
    protectState(path.join(parent, "pallet.sqlite"));
    for (const name of names) assert.equal(modeOf(path.join(parent, name)), "600", name);
    assert.equal(modeOf(parent), "700");
  });

  it("do not take a folder for Pallet's that only may be named by mistake", () => {
    chmodSync(parent, 0o755);
    protectState(path.join(parent, "pallet.sqlite"));
    assert.equal(modeOf(parent), "755");
  });
});
