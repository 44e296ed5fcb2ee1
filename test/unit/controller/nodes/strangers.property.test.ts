import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { NewEvent } from "../../../../controller/events/event.ts";
import { createNodeRegistry, type NodeRegistry } from "../../../../controller/nodes/node-registry.ts";
import type { NodeRows } from "../../../../controller/nodes/node-table.ts";
import { createBootPlanner } from "../../../../controller/serving/boot-planner.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { NodeFacts } from "../../../../proto/node/node-facts.ts";
import type { Clock } from "../../../../proto/time/clock.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";

/** What strangers at one address do: so many of them, each once. */
interface Move {
  readonly what: "ask" | "register" | "beat";
  readonly address: number;
  readonly count: number;
  /** Milliseconds that pass before the next. */
  readonly thenMs: number;
  /** By how many milliseconds somebody sets the clock then. */
  readonly setMs: number;
}

const move: fc.Arbitrary<Move> = fc.record({
  what: fc.constantFrom("ask", "register", "beat"),
  address: fc.nat(9),
  count: fc.constantFrom(1, 300, 1100),
  thenMs: fc.nat(600_000),
  setMs: fc.constantFrom(0, 0, 0, -1e12, -3_600_000, 90_000_000, 1e12),
});

const real = "b8:27:eb:00:00:01" as NodeId;
const known = "b8:27:eb:00:00:02" as NodeId;

/** A table in memory that holds so many nodes of an operator's. */
function rowsOf(count: number): NodeRows {
  const nodes = Array.from({ length: count }, (_, index) => ({
    ...{ id: index === 0 ? known : macOf("06", index), name: `shelf-${index}`, accepted: true },
    ...{ bootTarget: { kind: "agent" as const }, lastSeenAt: 0, discoveredAt: 0 },
  }));
  return { all: () => nodes, save() {}, saveAll() {}, remove() {} };
}

function macOf(first: string, index: number): NodeId {
  const digits = index.toString(16).padStart(6, "0");
  return `${first}:00:00:${digits.match(/../g)?.join(":")}` as NodeId;
}

function registrationOf(id: NodeId, address: string, instanceId: string) {
  const interfaces = [{ name: "eth0", mac: id, addresses: [address] }];
  const facts = { bootId: `boot-${instanceId}`, serial: "", interfaces, root: { source: "", disk: "" } };
  const agent = { version: "1", role: "netboot" as const, instanceId, port: 7710 };
  return { id, facts: facts as unknown as NodeFacts, agent, address };
}

function setUp(owned: number) {
  const manual = createManualClock();
  let offMs = 0;
  const clock: Clock = { ...manual, now: () => manual.now() + offMs };
  const events: NewEvent[] = [];
  const append = (event: NewEvent): void => void events.push(event);
  const log = { error: () => assert.fail("the registry failed") };
  const nodes: NodeRegistry = createNodeRegistry({
    ...{ rows: rowsOf(owned), events: { append }, clock, heartbeatIntervalMs: 10_000, log },
  });
  const planner = createBootPlanner({
    nodes,
    images: { getByDigest: async () => undefined },
    events: { append },
    profile: async () => ({ agent: { kernel: "vmlinuz", append: [] }, local: { append: [] } }),
    endpoints: Promise.resolve({ controller: "10.0.0.1:7700" }),
  });
  const pass = ({ thenMs, setMs }: Move): void => {
    manual.advance(thenMs);
    offMs += setMs;
  };
  return { pass, events, nodes, planner };
}

describe("whatever strangers ask for", () => {
  it("a real board gets its boot config and can register, and nothing of an operator's is lost", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(1, 4000, 4900), fc.array(move, { maxLength: 8 }), async (owned, moves) => {
        const { pass, events, nodes, planner } = setUp(owned);
        let invented = 0;
        for (const each of moves) {
          const { what, address: host, count } = each;
          const address = `10.0.9.${host}`;
          for (let index = 0; index < count; index += 1) {
            invented += 1;
            const id = macOf("02", what === "beat" ? index : invented);
            try {
              if (what === "ask") nodes.discover(id, address);
              else if (what === "register") nodes.register(registrationOf(id, address, `${invented}`));
              else nodes.heartbeat({ id, instanceId: `${invented}`, address });
            } catch {
              // Refused.
            }
          }
          assert.ok(nodes.list().length <= 5000);
          pass(each);
        }
        const spec = await planner.bootSpecFor(real, "10.0.0.7");
        assert.equal(spec.label, "agent");
        assert.ok(spec.commandLine.includes(`pallet.node=${real}`));
        assert.equal(nodes.register(registrationOf(real, "10.0.0.7", "real")).id, real);
        assert.equal(nodes.list().filter(({ accepted }) => accepted).length, owned);
        assert.equal(nodes.get(known)?.name, "shelf-0");
        assert.ok(events.filter(({ type }) => /^(strangers-|discovery-)/.test(type)).length <= 2 * moves.length + 2);
      }),
      { numRuns: 6 },
    );
  });
});
