import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { pino } from "pino";
import { createControllerList } from "../../../../agent/registration/controller-list.ts";
import type { Enrollment, Session } from "../../../../agent/registration/enrollment.ts";
import { stayRegistered } from "../../../../agent/registration/stay-registered.ts";
import type { NodeFacts } from "../../../../proto/node/node-facts.ts";
import { happensAtOnce } from "../../../at-once.ts";

const mac = "02:00:00:00:00:01";

/** A controller that follows a script, one entry per call, and ends the test after the last. */
type Answer = "registered" | "beaten" | "unknown" | Error;

interface Course {
  readonly calls: string[];
  /** At which address each call was made. */
  readonly asked: string[];
  readonly logged: string[];
  readonly sessions: (Session | undefined)[];
}

/** @param partitionUuids of the root, at each reading of the facts; the last one stays */
async function follow(
  test: TestContext,
  answers: readonly Answer[],
  partitionUuids: readonly string[] = [],
  addresses: readonly string[] = ["a"],
): Promise<Course> {
  const abort = new AbortController();
  test.after(() => abort.abort());
  const controllers = createControllerList(addresses.map((host) => ({ host, port: 1 })));
  const asked: string[] = [];
  const calls: string[] = [];
  const logged: string[] = [];
  const sessions: (Session | undefined)[] = [];
  let boots = 0;
  const next = (call: string): Answer => {
    calls.push(call);
    asked.push(controllers.current()?.host ?? "");
    const answer = answers[calls.length - 1];
    if (calls.length === answers.length) setImmediate(() => abort.abort());
    if (answer instanceof Error) throw answer;
    return answer ?? new Error("the script has ended");
  };
  const enrollment: Pick<Enrollment, "register" | "heartbeat"> = {
    async register(bootMac, facts, agent) {
      assert.equal(next(`register ${bootMac} ${facts.bootId} ${agent.instanceId}`), "registered");
      return { name: "pi-1", heartbeatIntervalMs: 1, controllers: [] };
    },
    async heartbeat(bootMac, instanceId, temperature) {
      const answer = next(`beat ${bootMac} ${instanceId} ${temperature}`);
      return answer === "unknown" ? "unknown" : 1;
    },
  };
  await stayRegistered(
    {
      enrollment,
      controllers,
      enrolled: (session) => void sessions.push(session),
      readNodeFacts: async () => {
        boots += 1;
        const partitionUuid = partitionUuids[boots - 1] ?? partitionUuids.at(-1);
        const ids = partitionUuid === undefined ? undefined : { partitionUuid, filesystemUuid: "" };
        const facts = { bootId: `facts-${boots}`, interfaces: [], temperatureCelsius: 42, root: { ids } };
        return facts as unknown as NodeFacts;
      },
      chooseBootMac: async () => mac,
      agentInfo: async () => ({ version: "1", role: "netboot", instanceId: "i", port: 1 }),
      backoff: { firstMs: 1, capMs: 2, random: () => 0 },
      log: pino({}, { write: (line: string) => void logged.push((JSON.parse(line) as { msg: string }).msg) }),
    },
    abort.signal,
  );
  return { calls, asked, logged, sessions };
}

describe("stayRegistered", () => {
  it("registers and then beats", async (test) => {
    const { calls, logged } = await follow(test, ["registered", "beaten", "beaten"]);
    assert.deepEqual(calls, [`register ${mac} facts-1 i`, `beat ${mac} i 42`, `beat ${mac} i 42`]);
    assert.deepEqual(logged, ["registered"]);
  });

  it("registers anew, with fresh facts, when the controller does not know it", async (test) => {
    const { calls, sessions } = await follow(test, ["registered", "unknown", "registered", "beaten"]);
    const session: Session = { bootMac: mac, instanceId: "i" };
    assert.deepEqual(sessions, [session, undefined, session]);
    assert.deepEqual(calls, [
      `register ${mac} facts-1 i`,
      `beat ${mac} i 42`,
      `register ${mac} facts-3 i`,
      `beat ${mac} i 42`,
    ]);
  });

  it("registers anew, in the same session, when the ids of its root have changed", async (test) => {
    const ids = ["aa-02", "aa-02", "bb-02"];
    const { calls, sessions } = await follow(test, ["registered", "beaten", "registered", "beaten"], ids);
    assert.deepEqual(
      calls.map((call) => call.split(" ")[0]),
      ["register", "beat", "register", "beat"],
    );
    assert.equal(sessions.length, 1);
  });

  it("reports a change of ids before it stops", async (test) => {
    const { calls } = await follow(test, ["registered", "beaten"], ["aa-02", "aa-02", "bb-02"]);
    assert.equal(calls.at(-1), `register ${mac} facts-4 i`);
  });

  it("tries for ever, and logs changes instead of attempts", async (test) => {
    const refused = new Error("connection refused");
    const { calls, logged } = await follow(test, [refused, refused, refused, "registered", "beaten"]);
    assert.equal(calls.length, 5);
    assert.deepEqual(logged, [
      "could not reach the controller; retrying",
      "registered",
      "the controller is answering again",
    ]);
  });

  it("goes on beating after a lost beat, without registering again", async (test) => {
    const { calls, logged } = await follow(test, ["registered", new Error("reset"), "beaten", "beaten"]);
    assert.deepEqual(
      calls.map((call) => call.split(" ")[0]),
      ["register", "beat", "beat", "beat"],
    );
    assert.equal(logged.at(-1), "the controller is answering again");
  });

  it("tries every address of the controller in its order, sticks to the one that answers, and goes on from it", async (test) => {
    const no = new Error("no");
    const answers = [no, no, no, no, "registered", "beaten", no, "registered", "beaten"] as const;
    const { asked, logged } = await follow(test, answers, [], ["a", "b", "c"]);
    assert.deepEqual(asked, ["a", "b", "c", "a", "b", "b", "b", "c", "c"]);
    assert.deepEqual(logged, [
      ...Array.from({ length: 3 }, () => "could not reach the controller; retrying"),
      "registered",
      "the controller is answering again",
      "could not reach the controller; retrying",
      // Under another address it says again which ones it has.
      "registered",
      "the controller is answering again",
    ]);
  });

  it("ends at once when told to, also while it waits", async () => {
    const abort = new AbortController();
    const waiting = stayRegistered(
      {
        enrollment: {
          register: () => Promise.reject(new Error("no")),
          heartbeat: () => Promise.reject(new Error("no")),
        },
        controllers: createControllerList([{ host: "a", port: 1 }]),
        enrolled: () => assert.fail("it never was"),
        readNodeFacts: async () => ({}) as NodeFacts,
        chooseBootMac: async () => mac,
        agentInfo: async () => ({ version: "1", role: "netboot", instanceId: "i", port: 1 }),
        backoff: { firstMs: 60_000, capMs: 60_000, random: () => 0 },
        log: pino({ level: "silent" }),
      },
      abort.signal,
    );
    setTimeout(() => abort.abort(), 10);
    await happensAtOnce(() => waiting);
  });
});
