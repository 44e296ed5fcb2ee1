import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HookCall } from "../../../../controller/hooks/hook.ts";
import { createHookQueue, type HookRows } from "../../../../controller/hooks/hook-queue.ts";
import { limits } from "../../../../proto/limits.ts";
import { settle } from "../../proto/time/manual-clock.ts";

function call(id: string, nodeId: string): HookCall {
  return { id, hook: "announce", when: "after-proved", nodeId, nodeName: nodeId, rolloutId: "r1", body: "{}" };
}

interface Memory extends HookRows {
  readonly kept: Map<string, HookCall>;
}

function inMemory(): Memory {
  const kept = new Map<string, HookCall>();
  return {
    kept,
    list: () => [...kept.values()],
    add(calls) {
      for (const each of calls) if (!kept.has(each.id)) kept.set(each.id, each);
    },
    remove: (id) => void kept.delete(id),
  };
}

/** A queue whose hooks end when they are told to. */
function create(rows: Memory) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const errors: string[] = [];
  const queue = createHookQueue({
    rows,
    perform(given, signal) {
      begun.push(given.id);
      return new Promise((resolve, reject) => {
        ends.set(given.id, resolve);
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    },
    log: { error: (_details, message) => errors.push(message) },
  });
  const end = async (id: string): Promise<void> => {
    (ends.get(id) ?? assert.fail(`${id} was not begun`))();
    await settle();
  };
  return { queue, begun, end, errors };
}

describe("hooks that are queued", () => {
  it("run one after the other for a node, in their order, and beside those of other nodes", async () => {
    const rows = inMemory();
    const { queue, begun, end } = create(rows);
    queue.add([call("a1", "a"), call("a2", "a")]);
    queue.add([call("b1", "b"), call("a3", "a")]);
    assert.deepEqual(begun, ["a1", "b1"]);
    await end("a1");
    assert.deepEqual(begun, ["a1", "b1", "a2"]);
    assert.deepEqual([...rows.kept.keys()], ["a2", "b1", "a3"]);
    for (const id of ["a2", "b1", "a3"]) await end(id);
    assert.deepEqual([begun, rows.kept.size], [["a1", "b1", "a2", "a3"], 0]);
  });

  it("are as many at one time as the machine bears, and all have their turn", async () => {
    const rows = inMemory();
    const { queue, begun, end } = create(rows);
    const most = limits.hooks.afterAtOnce.most;
    queue.add(Array.from({ length: 3 * most }, (_, index) => call(`${index}`, `node-${index}`)));
    assert.equal(begun.length, most);
    for (let index = 0; index < 3 * most; index += 1) {
      assert.ok(begun.length <= index + most);
      await end(`${index}`);
    }
    assert.equal(begun.length, 3 * most);
  });

  it("are not added twice", async () => {
    const { queue, begun, end } = create(inMemory());
    for (let time = 0; time < 3; time += 1) queue.add([call("a1", "a")]);
    await end("a1");
    assert.deepEqual(begun, ["a1"]);
  });

  it("that had not ended when the controller did are taken up at its next start", async () => {
    const rows = inMemory();
    const first = create(rows);
    first.queue.add([call("a1", "a"), call("a2", "a")]);
    await first.queue.close();
    first.queue.add([call("b1", "b")]);
    assert.deepEqual([first.begun, first.errors], [["a1"], []]);
    const next = create(rows);
    next.queue.resume();
    assert.deepEqual(next.begun, ["a1", "b1"]);
    await next.end("a1");
    assert.deepEqual(next.begun, ["a1", "b1", "a2"]);
  });

  it("hold up no other where the disk does not take that one has ended", async () => {
    const rows = inMemory();
    const { queue, begun, end, errors } = create({ ...rows, remove: () => assert.fail("disk full") });
    queue.add([call("a1", "a"), call("a2", "a")]);
    await end("a1");
    assert.deepEqual([begun, errors.length], [["a1", "a2"], 1]);
  });
});
