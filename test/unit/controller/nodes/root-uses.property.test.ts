// Histories of nodes that boot, hang, lose their cable and come back, with agents that say what they run from and older ones
// that do not, while versions come and go: what can go is never what a node runs from.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  afterRegistration,
  afterTold,
  afterUpgrade,
  noRootRecord,
  parseRootRecord,
  type RegisteredRoot,
  type RootRecord,
  usesOf,
} from "../../../../controller/nodes/choose-root-uses.ts";
import { judgeRoots, rootGraceMs } from "../../../../controller/roots/judge-roots.ts";
import type { RootId } from "../../../../controller/roots/root-id.ts";

const nodeCount = 2;

/** A node as it is, which the controller does not see. */
interface Reality {
  /** What it has mounted; undefined while it is off, or runs from its card. */
  mounted: RootId | undefined;
  /** What the config that it has fetched names, and when; until it has mounted it. */
  loading: { readonly root: RootId; readonly at: number } | undefined;
  bootId: string;
  role: "netboot" | "resident";
  /** Its agent says what it runs from. */
  isNewAgent: boolean;
  isUp: boolean;
}

/** What the controller remembers of it. */
interface Belief {
  record: RootRecord;
  last: RegisteredRoot | undefined;
}

const step = fc.oneof(
  fc.record({ do: fc.constant("build" as const) }),
  fc.record({ do: fc.constant("wait" as const), minutes: fc.constantFrom(1, 10, 70, 600) }),
  fc.record({ do: fc.constant("collect" as const) }),
  fc.record({ do: fc.constant("restart" as const) }),
  fc.record({
    do: fc.constantFrom("config" as const, "mount" as const, "register" as const),
    node: fc.nat(nodeCount - 1),
    isNewAgent: fc.boolean(),
    isFirmware: fc.boolean(),
  }),
  fc.record({
    do: fc.constantFrom("late" as const, "forget" as const, "plug" as const, "stray" as const, "card" as const),
    node: fc.nat(nodeCount - 1),
  }),
);

describe("root filesystems that can go", () => {
  it("are never one that a node runs from, or is about to mount", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80, size: "max" }), (steps) => {
        let now = 0;
        let switchedAt = 0;
        let startedAt = 0;
        let count = 0;
        const freshId = (): RootId => `root-${String(++count).padStart(4, "0")}` as RootId;
        let roots: RootId[] = [freshId()];
        let current = roots[0] as RootId;
        // They were netbooted under an older Pallet, by its agent.
        const nodes: Reality[] = Array.from({ length: nodeCount }, (_, index) => ({
          ...{
            mounted: current,
            loading: undefined,
            bootId: `${index}`,
            role: "netboot",
            isNewAgent: false,
            isUp: true,
          },
        }));
        const beliefs: Belief[] = nodes.map(({ role, bootId }) => ({
          last: { role, bootId, mounted: undefined },
          record: afterUpgrade(noRootRecord, { role, bootId, mounted: undefined }),
        }));
        const register = ({ role, bootId, isNewAgent, mounted }: Reality, belief: Belief): void => {
          belief.last = { role, bootId, mounted: isNewAgent ? (mounted ?? "none") : undefined };
          belief.record = afterRegistration(belief.record, belief.last);
        };

        for (const each of steps) {
          const [node, belief] = "node" in each ? [nodes[each.node], beliefs[each.node]] : [];
          if (each.do === "build") {
            current = freshId();
            roots = [...roots, current];
            switchedAt = now;
          } else if (each.do === "wait") {
            now += each.minutes * 60_000;
            // Whoever has not mounted within the grace period has begun anew.
            for (const one of nodes) if (one.loading && now - one.loading.at >= rootGraceMs) one.loading = undefined;
          } else if (each.do === "restart") {
            startedAt = now;
            for (const one of beliefs)
              one.record = parseRootRecord(JSON.stringify(one.record), (text) => text as RootId);
          } else if (each.do === "collect") {
            const users = beliefs.map(({ record, last }, index) => ({
              ...{ name: `node-${index}`, isOnline: nodes[index]?.isUp === true },
              ...usesOf(record, last),
            }));
            const known = roots.map((id) => ({ id, madeAt: 0, manifest: { agent: { sizeBytes: 1, digest: "" } } }));
            const quietMs = now - Math.max(switchedAt, startedAt);
            const gone = judgeRoots(known, { current, quietMs, users }).filter(({ state }) => state === "removable");
            for (const { root } of gone)
              for (const one of nodes)
                assert.ok(one.mounted !== root.id && one.loading?.root !== root.id, `${root.id} is in use`);
            roots = roots.filter((id) => !gone.some(({ root }) => root.id === id));
          } else if (node === undefined || belief === undefined) {
            assert.fail("a step without its node");
          } else if (each.do === "stray") {
            // Anyone may ask for the node's config.
            belief.record = afterTold(belief.record, current);
          } else if (each.do === "config") {
            // It has restarted.
            Object.assign(node, { mounted: undefined, isUp: false, loading: { root: current, at: now } });
            // What firmware loads is known only when it asks for the kernel.
            if (!each.isFirmware) belief.record = afterTold(belief.record, current);
          } else if (each.do === "mount" && node.loading !== undefined) {
            belief.record = afterTold(belief.record, node.loading.root);
            const boot = { bootId: `boot-${++count}`, role: "netboot", isNewAgent: each.isNewAgent } as const;
            Object.assign(node, { mounted: node.loading.root, loading: undefined, isUp: true, ...boot });
          } else if (each.do === "plug") {
            Object.assign(node, { mounted: undefined, loading: undefined, isUp: false });
          } else if (each.do === "card") {
            const boot = { bootId: `boot-${++count}`, role: "resident", isNewAgent: true } as const;
            Object.assign(node, { mounted: undefined, loading: undefined, isUp: true, ...boot });
          } else if (each.do === "register" && node.isUp) {
            register(node, belief);
          } else if (each.do === "late" && belief.last !== undefined) {
            // A registration that was under way when its node restarted.
            belief.record = afterRegistration(belief.record, belief.last);
          } else if (each.do === "forget" && node.isUp) {
            // Its next heartbeat is refused.
            register(node, belief);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("what a node may have mounted", () => {
  const [a, b, c] = ["a", "b", "c"] as unknown as [RootId, RootId, RootId];
  const registered = (bootId: string, mounted?: RootId | "none"): RegisteredRoot => ({
    role: "netboot",
    bootId,
    mounted,
  });
  const told = (...roots: readonly RootId[]) => roots.reduce(afterTold, noRootRecord);

  it("is what its agent says, from the first registration of a boot on", () => {
    const record = afterRegistration(told(a, b), registered("1", b));
    assert.deepEqual(usesOf(record, registered("1", b)), { running: b, told: [], isUnknown: false });
  });

  it("is that, and what it was told since, when the same agent registers again", () => {
    const first = afterRegistration(told(a), registered("1", a));
    const again = afterRegistration(afterTold(first, b), registered("1", a));
    assert.deepEqual(usesOf(again, registered("1", a)), { running: a, told: [b], isUnknown: false });
  });

  it("is what an older agent was told last, and all that it was told before", () => {
    const before = afterRegistration(told(), registered("1", c));
    const record = afterRegistration(afterTold(afterTold(before, a), b), registered("2"));
    assert.deepEqual(usesOf(record, registered("2")), { running: b, told: [a, c], isUnknown: false });
  });

  it("is anything where an older agent registers of which no boot is known, whatever somebody asked for in its name", () => {
    const record = afterRegistration(told(a), registered("1"));
    assert.deepEqual(usesOf(record, registered("1")), { told: [a], isUnknown: true });
    const upgraded = afterTold(afterUpgrade(noRootRecord, registered("1")), a);
    assert.equal(usesOf(afterRegistration(upgraded, registered("1")), registered("1")).isUnknown, true);
  });

  it("is anything where an older agent was told nothing, as when an older Pallet netbooted it", () => {
    const record = afterRegistration(noRootRecord, registered("1"));
    assert.equal(usesOf(record, registered("1")).isUnknown, true);
  });

  it("is what its own record says where the other was lost", () => {
    assert.deepEqual(usesOf(noRootRecord, registered("1", c)), { running: c, told: [], isUnknown: false });
  });

  it("is nothing for a system on its own disk", () => {
    const resident = { role: "resident", bootId: "2", mounted: undefined } as const;
    const record = afterRegistration(afterRegistration(told(a), registered("1", a)), resident);
    assert.deepEqual(usesOf(record, resident), { told: [], isUnknown: false });
  });

  it("is anything where the record cannot be read", () => {
    const record = parseRootRecord("{", () => undefined);
    assert.equal(usesOf(record, registered("1")).isUnknown, true);
  });
});
