import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Node } from "../../../../controller/nodes/node.ts";
import { openStore } from "../../../../controller/store/open-store.ts";
import { replaceState, stateIn } from "../../../../controller/store/replace-state.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";

const node: Node = {
  id: "b8:27:eb:00:00:01" as NodeId,
  name: "pi-1",
  accepted: true,
  bootTarget: { kind: "agent" },
  lastSeenAt: 1,
  discoveredAt: 1,
};

describe("a state that takes the place of another", () => {
  let folder: string;
  const at = (...parts: readonly string[]): string => path.join(folder, ...parts);
  const mark = { changes: 0, nodes: 1 };

  function stage(): { readonly database: string; readonly identity: string; readonly mark: typeof mark } {
    mkdirSync(at("staged/identity"), { recursive: true });
    copyFileSync(at("other/pallet.sqlite"), at("staged/database"));
    return { database: at("staged/database"), identity: at("staged/identity"), mark };
  }

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "pallet-replace-"));
    for (const [name, called] of [
      ["state", "before"],
      ["other", "after"],
    ] as const) {
      const store = openStore(at(name, "pallet.sqlite"));
      store.nodes.save({ ...node, name: called });
      store.checkpoint();
      store.close();
    }
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is refused by a controller where that was cut off, and completed by the next try", () => {
    const staged = stage();
    rmSync(staged.database);
    assert.throws(() => replaceState(at("state"), staged, at("state/aside")), /ENOENT/);
    assert.deepEqual(stateIn(at("state")).toSorted(), ["identity", "pallet.sqlite.mark"]);
    assert.throws(() => openStore(at("state/pallet.sqlite")), /is empty, but it knew 1 node/);
    replaceState(at("state"), stage(), at("state/aside-2"));
    const store = openStore(at("state/pallet.sqlite"));
    assert.equal(store.nodes.all()[0]?.name, "after");
    store.close();
    assert.ok(existsSync(at("state/aside/pallet.sqlite")), "what was there first is kept");
  });

  it("leaves alone a state that a controller has open", () => {
    const held = openStore(at("state/pallet.sqlite"));
    assert.throws(() => replaceState(at("state"), stage(), at("state/aside")), /a controller has .* open/);
    assert.ok(!existsSync(at("state/aside")));
    held.close();
  });
});
