import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node } from "../../../../controller/nodes/node.ts";
import type { NodeChangeListener } from "../../../../controller/nodes/node-change.ts";
import { createRootLedger } from "../../../../controller/nodes/root-ledger.ts";
import type { RootId } from "../../../../controller/roots/root-id.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";

const [a, b] = ["20261128-221500-0000000a", "20261128-221500-0000000b"] as unknown as [RootId, RootId];
const id = "b8:27:eb:00:00:01" as NodeId;

/** A node whose netbooted agent registered, and says that it has mounted this. */
function aNode(bootId: string, nfsRoot?: string): Node {
  const root = { source: "overlay", filesystemType: "overlay", disk: "", ...(nfsRoot !== undefined && { nfsRoot }) };
  return {
    ...{ id, name: "node-1", accepted: true, bootTarget: { kind: "agent" }, lastSeenAt: 0, discoveredAt: 0 },
    facts: { bootId, root } as NonNullable<Node["facts"]>,
    agent: { role: "netboot" } as NonNullable<Node["agent"]>,
  };
}

function setUp(known: Node[] = []) {
  const kept = new Map<string, string>();
  const clock = createManualClock();
  const errors: string[] = [];
  const disk = { isFull: false };
  const nodes = [...known];
  let listener: NodeChangeListener = () => {};
  const open = () =>
    createRootLedger({
      rows: {
        get: (key) => kept.get(key),
        set(key, value) {
          if (disk.isFull) throw new Error("no space left");
          kept.set(key, value);
        },
        remove: (key) => void kept.delete(key),
        keys: (prefix) => [...kept.keys()].filter((key) => key.startsWith(prefix)),
      },
      nodes: {
        list: () => [...nodes],
        isOnline: () => true,
        onChange(added) {
          listener = added;
          return () => {};
        },
      },
      rootOf: (source) => [a, b].find((root) => source.includes(root)),
      clock,
      log: { error: (_, message) => void errors.push(message) },
    });
  const register = (node: Node): void => {
    nodes.splice(0, nodes.length, node);
    listener({ node, cause: "registered" });
  };
  return {
    open,
    register,
    errors,
    disk,
    nodes,
    kept,
    clock,
    tell: (change: Parameters<NodeChangeListener>[0]) => listener(change),
  };
}

const user = (uses: object) => [{ name: "node-1", isOnline: true, told: [], isUnknown: false, ...uses }];

describe("the ledger of who uses which root filesystem", () => {
  it("remembers over a restart what a node was told, and what it runs from", () => {
    const { open, register } = setUp();
    const ledger = open();
    ledger.told(id, a);
    register(aNode("1", `10.0.0.1:/store/versions/${a}/root,vers=3`));
    ledger.told(id, b);
    assert.deepEqual(ledger.users(), user({ running: a, told: [b] }));
    assert.deepEqual(open().users(), user({ running: a, told: [b] }));
  });

  it("holds every version for a node that an older Pallet netbooted, until it boots again", () => {
    const { open, register } = setUp([aNode("0")]);
    const ledger = open();
    assert.deepEqual(ledger.users(), user({ isUnknown: true }));
    ledger.told(id, b);
    register(aNode("1", `10.0.0.1:/store/versions/${b}/root`));
    assert.deepEqual(ledger.users(), user({ running: b }));
  });

  it("holds none for a node whose root is not one of ours", () => {
    const { open, register } = setUp();
    const ledger = open();
    register(aNode("1", ""));
    assert.deepEqual(ledger.users(), user({}));
  });

  it("knows a forgotten node again that was running all the time", () => {
    const { open, register, nodes, tell } = setUp();
    const ledger = open();
    const node = aNode("1", `10.0.0.1:/store/versions/${a}/root`);
    register(node);
    nodes.splice(0);
    tell({ node, cause: "forgotten" });
    assert.deepEqual(ledger.users(), []);
    register(node);
    assert.deepEqual(ledger.users(), user({ running: a }));
  });

  it("holds for an hour what a board that is not recorded, or no more, was told to boot, and keeps no row of it", () => {
    const { open, nodes, tell, kept, clock } = setUp();
    const ledger = open();
    const [node] = [aNode("1", "")];
    const { agent: _, facts: __, ...stranger } = node;
    nodes.push(stranger);
    ledger.told(id, a);
    ledger.told(undefined, b);
    nodes.splice(0);
    tell({ node: stranger, cause: "forgotten" });
    const name = "boards that are not recorded";
    assert.deepEqual(ledger.users(), [{ name, isOnline: false, isUnknown: false, told: [b, a] }]);
    assert.deepEqual([...kept.keys()], []);
    clock.advance(60 * 60_000);
    assert.deepEqual(ledger.users(), []);
  });

  it("drops at the next start what it knew of nodes that are not known any more", () => {
    const { open, register, nodes, kept } = setUp();
    open();
    register(aNode("1", `10.0.0.1:/store/versions/${a}/root`));
    assert.equal(kept.size, 1);
    open();
    assert.equal(kept.size, 1);
    nodes.splice(0);
    open();
    assert.equal(kept.size, 0);
  });

  it("lets nodes boot on a full disk, and says that it could not save what they use", () => {
    const { open, disk, errors, nodes } = setUp();
    const ledger = open();
    disk.isFull = true;
    nodes.push(aNode("1", ""));
    ledger.told(id, a);
    assert.deepEqual(ledger.users(), user({ told: [a] }));
    assert.match(errors.join(), /could not save which root filesystem/);
  });
});
