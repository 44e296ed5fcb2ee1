import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { type Admission, createAdmission } from "../../../../controller/agents/admit-registration.ts";
import { AgentError } from "../../../../controller/agents/agent-error.ts";
import type { AgentAddress, AgentPort } from "../../../../controller/agents/agent-port.ts";
import type { NewEvent } from "../../../../controller/events/event.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import type { Registration } from "../../../../controller/nodes/registration.ts";
import { Refusal } from "../../../../controller/refusal/refusal.ts";
import { Failure } from "../../../../proto/failure.ts";
import { type AgentIds, areSameAgent } from "../../../../proto/grpc/agent-ids.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { NodeFacts } from "../../../../proto/node/node-facts.ts";
import { createManualClock, type ManualClock } from "../../proto/time/manual-clock.ts";

const id = "02:00:00:00:00:01" as NodeId;

function claimOf({ bootId, instanceId }: AgentIds, address: string, serial = "aaaa"): Registration {
  return {
    id,
    address,
    facts: { bootId, serial } as NodeFacts,
    agent: { version: "1", role: "netboot", instanceId, port: 7710 },
  };
}

const first: AgentIds = { bootId: "boot-1", instanceId: "run-1" };
const clone: AgentIds = { bootId: "boot-2", instanceId: "run-2" };

describe("who may register", () => {
  let clock: ManualClock;
  let known: Node | undefined;
  let events: NewEvent[];
  let asked: AgentAddress[];
  /** Who answers at which address; "hangs" where nobody ever does. */
  let there: Map<string, AgentIds | "hangs">;
  /** Whether heartbeats of the known agent arrive. */
  let isHeard: boolean;
  let admission: Admission;
  const register = (claim: Registration) => admission.register(claim, new AbortController().signal);
  const refused = async (claim: Registration): Promise<Refusal> => {
    const error = await register(claim).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof Refusal, String(error));
    return error;
  };
  const types = () => events.map(({ type }) => type);

  beforeEach(() => {
    clock = createManualClock();
    known = undefined;
    events = [];
    asked = [];
    there = new Map();
    isHeard = false;
    admission = createAdmission({
      nodes: {
        get: () => known,
        isOnline: () => isHeard,
        register({ facts, agent, address }) {
          known = { id, name: "pi-1", facts, agent, ...(address !== undefined && { address }) } as Node;
          return known;
        },
      },
      agents: {
        connect(at, expected = {}) {
          asked.push(at);
          const answering = there.get(at.address);
          return {
            async getNode(signal?: AbortSignal) {
              if (answering === "hangs")
                await new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
              if (answering === undefined || answering === "hangs" || !areSameAgent(answering, expected))
                throw new AgentError("unreachable", new Failure("node-silent", "nobody"), undefined);
              return claimOf(answering, at.address);
            },
            close: () => undefined,
          } as unknown as AgentPort;
        },
      },
      events: { append: (event) => events.push(event) },
      clock,
      closed: new AbortController().signal,
    });
  });

  it("is everyone of whom nothing is known, and the same run again, unasked", async () => {
    await register(claimOf(first, "10.0.0.1"));
    await register(claimOf(first, "10.0.0.9"));
    assert.deepEqual([asked, events, known?.address], [[], [], "10.0.0.9"]);
  });

  for (const [what, answering, claim] of [
    ["the next boot, at the same address", clone, claimOf(clone, "10.0.0.1")],
    ["the next boot, at another address, when nobody is at the old one", undefined, claimOf(clone, "10.0.0.2")],
    [
      "the next run in the same boot",
      { ...first, instanceId: "run-2" },
      claimOf({ ...first, instanceId: "run-2" }, "10.0.0.1"),
    ],
    [
      "the next boot, when somebody else has the old address",
      { bootId: "x", instanceId: "y" },
      claimOf(clone, "10.0.0.2"),
    ],
  ] as const)
    it(`is ${what}`, async () => {
      await register(claimOf(first, "10.0.0.1"));
      if (answering !== undefined) there.set("10.0.0.1", answering);
      await register(claim);
      assert.equal(known?.agent?.instanceId, "run-2");
      assert.deepEqual(asked, [{ address: "10.0.0.1", port: 7710 }]);
      assert.deepEqual(events, []);
    });

  it("is the next boot after two seconds, when nothing answers at the old address, not even that nobody is there", async () => {
    await register(claimOf(first, "10.0.0.1"));
    there.set("10.0.0.1", "hangs");
    const registered = register(claimOf(clone, "10.0.0.2"));
    await clock.advanceSettling(2_000);
    assert.equal((await registered).agent?.instanceId, "run-2");
  });

  it("is not a second board while the first answers: the record stays, and it is told once", async () => {
    await register(claimOf(first, "10.0.0.1"));
    there.set("10.0.0.1", first);
    const { kind, reason, message } = await refused(claimOf(clone, "10.0.0.2", "bbbb"));
    assert.deepEqual([kind, reason], ["precondition", "other-agent"]);
    assert.match(
      message,
      /a second board at 10\.0\.0\.2 claims the MAC address of pi-1 .*serial numbers aaaa and bbbb/,
    );
    for (let times = 0; times < 30; times += 1) {
      clock.advance(5_000);
      await refused(claimOf(clone, "10.0.0.2"));
    }
    assert.equal(known?.agent?.instanceId, "run-1");
    assert.equal(known?.address, "10.0.0.1");
    assert.deepEqual(types(), ["mac-claimed-twice"]);
    clock.advance(60_000);
    assert.deepEqual(types(), ["mac-claimed-twice", "mac-claim-ended"]);
    await refused(claimOf(clone, "10.0.0.2"));
    assert.deepEqual(types(), ["mac-claimed-twice", "mac-claim-ended", "mac-claimed-twice"]);
  });

  it("is nobody from elsewhere while the first reports but does not answer in time, which is told by no event", async () => {
    await register(claimOf(first, "10.0.0.1"));
    there.set("10.0.0.1", "hangs");
    isHeard = true;
    const claimed = refused(claimOf(clone, "10.0.0.2"));
    await clock.advanceSettling(2_000);
    assert.match((await claimed).message, /was heard a moment ago and does not answer now: try again/);
    assert.deepEqual([events, known?.agent?.instanceId], [[], "run-1"]);
    isHeard = false;
    there.delete("10.0.0.1");
    await register(claimOf(clone, "10.0.0.2"));
    assert.equal(known?.agent?.instanceId, "run-2");
  });

  it("is the next boot at the same address at once, although its former agent was heard a moment ago", async () => {
    await register(claimOf(first, "10.0.0.1"));
    isHeard = true;
    await register(claimOf(clone, "10.0.0.1"));
    assert.equal(known?.agent?.instanceId, "run-2");
  });

  it("is not a late registration of a run that has been followed by another", async () => {
    await register(claimOf(first, "10.0.0.1"));
    there.set("10.0.0.1", clone);
    await register(claimOf(clone, "10.0.0.1"));
    await refused(claimOf(first, "10.0.0.1"));
    assert.equal(known?.agent?.instanceId, "run-2");
  });

  it("is not a second agent on the same boot, of which the message speaks differently", async () => {
    await register(claimOf(first, "10.0.0.1"));
    there.set("10.0.0.1", first);
    const { message } = await refused(claimOf({ ...first, instanceId: "run-2" }, "10.0.0.1"));
    assert.match(message, /a second agent at 10\.0\.0\.1 on the same boot claims to be pi-1.*stop one of them/);
  });

  it("is not a second board while the first reboots, and the next boot of the first is", async () => {
    await register(claimOf(first, "10.0.0.1"));
    there.set("10.0.0.1", first).set("10.0.0.2", clone);
    await refused(claimOf(clone, "10.0.0.2", "bbbb"));
    there.delete("10.0.0.1");
    for (let times = 0; times < 20; times += 1) {
      clock.advance(5_000);
      await refused(claimOf(clone, "10.0.0.2", "bbbb"));
    }
    const next = { bootId: "boot-3", instanceId: "run-3" };
    await register(claimOf(next, "10.0.0.1"));
    assert.deepEqual([known?.agent?.instanceId, types()], ["run-3", ["mac-claimed-twice"]]);
    there.set("10.0.0.1", next);
    await refused(claimOf(clone, "10.0.0.2", "bbbb"));
    there.delete("10.0.0.1");
    for (let times = 0; times < 119; times += 1) {
      clock.advance(5_000);
      await refused(claimOf(clone, "10.0.0.2", "bbbb"));
    }
    clock.advance(5_000);
    await register(claimOf(clone, "10.0.0.2", "bbbb"));
    assert.equal(known?.agent?.instanceId, "run-2", "after ten minutes the first is gone");
  });

  it("two whose boards cannot be told apart: the first keeps the record, gives it up when it is gone, and gets it back", async () => {
    await register(claimOf(first, "10.0.0.1"));
    there.set("10.0.0.1", first).set("10.0.0.2", clone);
    await refused(claimOf(clone, "10.0.0.2"));
    there.delete("10.0.0.1");
    await register(claimOf(clone, "10.0.0.2"));
    there.set("10.0.0.1", first);
    await refused(claimOf(first, "10.0.0.1"));
    there.delete("10.0.0.2");
    await register(claimOf(first, "10.0.0.1"));
    assert.equal(known?.agent?.instanceId, "run-1");
    assert.deepEqual(types(), ["mac-claimed-twice"]);
  });
});
