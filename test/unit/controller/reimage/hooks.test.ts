// What runs on the management machine before and after reimages.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GivenValues, Hook, HookMoment } from "../../../../controller/hooks/hook.ts";
import { parseLabelSelector } from "../../../../controller/nodes/parse-label-selector.ts";
import type { NodeSystem } from "../../../../controller/profiles/node-system.ts";
import type { Reimage, RolloutId } from "../../../../controller/reimage/plan/rollout.ts";
import { Failure } from "../../../../proto/failure.ts";
import type { SystemAbilities } from "../../../../proto/system/config/abilities.ts";
import type { TasksReport } from "../../../../proto/system/tasks/report-tasks.ts";
import type { TaskState } from "../../../../proto/words/task-state.ts";
import { createFakeRack, type FakeRack, image } from "./fakes/fake-rack.ts";

function hook(when: HookMoment, name: string, labelSelector = ""): Hook {
  return {
    ...{ name, when, labels: parseLabelSelector(labelSelector), timeoutMs: 1000 },
    action: { kind: "command", command: ["/bin/true"] },
  };
}

const everyMoment = [hook("before-reimage", "drain"), hook("after-proved", "announce"), hook("after-failed", "page")];

/** Nodes that have proved the image and run it, before there were hooks. */
async function provedRack(count: number, hooks: readonly Hook[], settings = {}): Promise<FakeRack> {
  const rack = createFakeRack(count, settings);
  for (const machine of rack.machines) machine.powerOn();
  await rack.clock.advanceSettling(25_000);
  await rack.untilEnded(await rack.startAll());
  await rack.clock.advanceSettling(60_000);
  rack.hooks = hooks;
  rack.restart();
  return rack;
}

function reimage(rack: FakeRack, id: RolloutId, index = 0): Reimage {
  const found = rack
    .rollouts()
    .list()
    .find((rollout) => rollout.id === id)?.reimages[index];
  assert.ok(found);
  return found;
}

const calls = (rack: FakeRack): string[] => rack.hookCalls.map(({ hook: name, nodeName }) => `${name} ${nodeName}`);

/** Never ends by itself. */
const hang = (_hook: Hook, _call: unknown, signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

describe("hooks", () => {
  it("run before anything is done to a node that still runs its system, and after its proof, one after the other", async () => {
    const rack = await provedRack(1, [
      hook("after-configured", "use"),
      hook("before-reimage", "cordon"),
      ...everyMoment,
    ]);
    const roles: unknown[] = [];
    rack.runHook = async ({ when }) => {
      roles.push([when, rack.machine().role(), rack.targetOf()]);
    };
    const id = await rack.startAll();
    await rack.untilEnded(id);
    await rack.clock.advanceSettling(0);
    assert.equal(reimage(rack, id).phase, "proved");
    assert.deepEqual(calls(rack), ["cordon pi-1", "drain pi-1", "announce pi-1", "use pi-1"]);
    assert.deepEqual(roles, [
      ["before-reimage", "resident", "local"],
      ["before-reimage", "resident", "local"],
      ["after-proved", "resident", "local"],
      ["after-configured", "resident", "local"],
    ]);
    const told = rack.events
      .filter(({ type }) => type.startsWith("hook-"))
      .map(({ message, by }) => `${by.kind}: ${message}`);
    assert.deepEqual(told.slice(-2), [
      "controller: running the after-configured hook use of pi-1",
      "controller: the after-configured hook use of pi-1 succeeded after 0 s",
    ]);
  });

  it("stop their node alone when one fails before anything is touched, and those after it do not run", async () => {
    const rack = await provedRack(2, [...everyMoment, hook("before-reimage", "second")]);
    rack.runHook = async ({ name }, { nodeName }) => {
      if (name === "drain" && nodeName === "pi-1")
        throw new Failure("hook-failed", "it ended with exit code 3; it said: no such node", { found: "no such node" });
    };
    const id = await rack.startAll();
    const targets = rack.targets.length;
    await rack.untilEnded(id);
    const { phase, verdict, failure } = reimage(rack, id);
    assert.deepEqual(
      [phase, verdict, failure?.reason, failure?.found],
      ["failed", "untouched", "hook-failed", "no such node"],
    );
    assert.match(failure?.message ?? "", /^the before-reimage hook drain of pi-1 failed: it ended with exit code 3/);
    assert.equal(reimage(rack, id, 1).phase, "proved");
    assert.equal(rack.machine(0).role(), "resident");
    assert.deepEqual([rack.targetOf(0), rack.targetOf(1)], ["local", "local"]);
    assert.deepEqual(
      rack.targets
        .slice(targets)
        .filter(({ id: node, target }) => node === rack.machine(0).id && target.kind === "agent"),
      [],
    );
    await rack.clock.advanceSettling(0);
    const of = (name: string): string[] => calls(rack).filter((call) => call.endsWith(name));
    assert.deepEqual(of("pi-1"), ["drain pi-1", "page pi-1"]);
    assert.deepEqual(of("pi-2"), ["drain pi-2", "second pi-2", "announce pi-2"]);
    assert.equal(rack.events.filter(({ type, nodeName }) => type === "hook-failed" && nodeName === "pi-1").length, 1);
  });

  it("are ended by a cancellation, which leaves the node as it was", async () => {
    const rack = await provedRack(1, everyMoment);
    const ended: boolean[] = [];
    rack.runHook = async ({ name, ...rest }, call, signal) => {
      if (name !== "drain") return;
      await hang({ name, ...rest }, call, signal).finally(() => ended.push(signal.aborted));
    };
    const id = await rack.startAll();
    await rack.clock.advanceSettling(3_600_000);
    assert.equal(reimage(rack, id).phase, "preparing");
    assert.match(reimage(rack, id).waitsFor ?? "", /^the before-reimage hooks of pi-1 have run since 2026-/);
    const { summary } = rack.rollouts().cancel(id);
    assert.deepEqual([summary.untouched, summary.goingBack], [1, 0]);
    await rack.untilEnded(id);
    await rack.clock.advanceSettling(0);
    assert.deepEqual(ended, [true]);
    assert.deepEqual([reimage(rack, id).phase, reimage(rack, id).verdict], ["cancelled", "untouched"]);
    assert.equal(rack.targetOf(), "local");
    // Who was drained is told that it may be used again.
    assert.deepEqual(calls(rack), ["drain pi-1", "page pi-1"]);
  });

  it("meet no node whose turn never came", async () => {
    const rack = await provedRack(2, everyMoment, { maxConcurrent: 1 });
    rack.runHook = (given, call, signal) =>
      given.name === "drain" ? hang(given, call, signal) : Promise.resolve(undefined);
    const id = await rack.startAll();
    await rack.clock.advanceSettling(1000);
    assert.deepEqual([reimage(rack, id).phase, reimage(rack, id, 1).phase], ["preparing", "queued"]);
    rack.rollouts().cancel(id);
    await rack.untilEnded(id);
    assert.deepEqual(calls(rack), ["drain pi-1", "page pi-1"]);
  });

  it("are run again with the same id and words when the controller ended in the middle of one", async () => {
    const rack = await provedRack(1, everyMoment);
    rack.runHook = hang;
    const id = await rack.startAll();
    await rack.clock.advanceSettling(30_000);
    rack.runHook = async () => {};
    rack.restart();
    await rack.untilEnded(id);
    const [first, again] = rack.hookCalls;
    assert.deepEqual([first?.hook, again], ["drain", first]);
    assert.equal(reimage(rack, id).phase, "proved");
  });

  it("that follow on an end hold up neither the rollout nor its verdict, and outlive the controller", async () => {
    const rack = await provedRack(1, everyMoment);
    rack.runHook = (given, call, signal) =>
      given.when === "after-proved" ? hang(given, call, signal) : Promise.resolve(undefined);
    const id = await rack.startAll();
    await rack.untilEnded(id);
    assert.equal(reimage(rack, id).phase, "proved");
    rack.runHook = async () => {
      throw new Failure("hook-failed", "http://there/: it answered with 404");
    };
    rack.restart();
    await rack.clock.advanceSettling(0);
    assert.equal(rack.hookCalls.length, 3);
    assert.deepEqual(rack.hookCalls[2], rack.hookCalls[1]);
    const { type, severity, message } = rack.events.at(-1) ?? assert.fail();
    assert.deepEqual([type, severity], ["hook-failed", "warning"]);
    assert.equal(message, "the after-proved hook announce of pi-1 failed: http://there/: it answered with 404");
    rack.restart();
    await rack.clock.advanceSettling(0);
    assert.equal(rack.hookCalls.length, 3, "a hook that has failed is not tried for ever");
    assert.equal(reimage(rack, id).phase, "proved");
  });

  for (const [title, succeeded, when] of [
    ["of tasks that succeeded", true, "after-configured"],
    ["of tasks that failed", false, "after-failed"],
  ] as const)
    it(`${title} are queued, once, though the controller ended right after that was saved`, async () => {
      const rack = await provedRack(1, [hook("after-proved", "announce"), hook(when, "use")]);
      const report = (state: TaskState): TasksReport => ({
        configDigest: "ab".repeat(32),
        tasks: [{ name: "join", state, starts: 1, ...(state === "failed" && { problem: "exit code 7" }) }],
      });
      rack.machine().tasks = report("running");
      const id = await rack.startAll();
      await rack.clock.advanceUntil(() => reimage(rack, id).phase === "proved", 4 * 3_600_000, 5000);
      await rack.clock.advanceSettling(0);
      assert.deepEqual(calls(rack), ["announce pi-1"]);
      // Saved, and told; nothing after that.
      rack.onEvent = ({ type }) => {
        if (type === "reimage-configured" || type === "reimage-unconfigured") rack.crash();
      };
      rack.machine().tasks = report(succeeded ? "succeeded" : "failed");
      rack.machine().registerAgain();
      await rack.clock.advanceSettling(0);
      assert.deepEqual(calls(rack), ["announce pi-1"], "it ended too late for what is tested");
      rack.onEvent = undefined;
      for (const _ of ["the start after that", "another one"]) {
        rack.restart();
        await rack.clock.advanceSettling(0);
        assert.deepEqual(calls(rack), ["announce pi-1", "use pi-1"]);
        assert.equal(rack.hookCalls[1]?.when, when);
      }
      assert.equal(reimage(rack, id).configuration?.state, succeeded ? "configured" : "failed");
    });

  it("that the configuration has no more are told, and gone", async () => {
    const rack = await provedRack(1, everyMoment);
    rack.runHook = (given, call, signal) =>
      given.when === "after-proved" ? hang(given, call, signal) : Promise.resolve(undefined);
    await rack.untilEnded(await rack.startAll());
    rack.hooks = [];
    rack.restart();
    await rack.clock.advanceSettling(0);
    assert.match(
      rack.events.at(-1)?.message ?? "",
      /announce of pi-1 did not run: the configuration has no such hook any more$/,
    );
    assert.equal(rack.hookCalls.length, 2);
  });

  describe("that give values", () => {
    const join: Hook = { ...hook("before-reimage", "join"), gives: { values: ["url"], secrets: ["token"] } };
    const answer = (token: string): string => JSON.stringify({ values: { url: "https://k3s" }, secrets: { token } });
    const digest = "1".repeat(64);
    const abilities: SystemAbilities = {
      ...{ init: "systemd", distribution: "debian", users: [], groups: [], shells: [], sudo: false, timezones: true },
      ...{ locales: [], network: {}, cloudInit: false, units: {}, radios: [], has: [] },
    };
    /** A system with one file: what was given, or what stands for it. */
    const systemOf = (_node: unknown, given?: GivenValues): NodeSystem => {
      const text = given === undefined ? "a name" : `${given.values["url"]} ${given.secrets["token"]}`;
      return {
        config: { files: [{ path: "/etc/token", content: { kind: "file", bytes: Buffer.from(text) } }] },
        summary: { digest, profiles: ["a"] },
        fromHooks: [{ kind: "secret", name: "token", hook: "join" }],
      };
    };
    async function givingRack(...more: readonly Hook[]): Promise<FakeRack> {
      const rack = await provedRack(1, [...everyMoment, join, ...more]);
      rack.images = [{ ...image, abilities }];
      rack.systemOf = systemOf;
      let tokens = 0;
      rack.runHook = async ({ gives }) => {
        if (gives === undefined) return undefined;
        tokens += 1;
        return answer(`canary-${tokens}`);
      };
      return rack;
    }
    const written = (rack: FakeRack): string[] =>
      rack.machine().specs.flatMap((spec) => {
        const content = spec.kind === "write-image" ? spec.customisation?.system?.files?.[0]?.content : undefined;
        return content?.kind === "file" ? [Buffer.from(content.bytes).toString()] : [];
      });
    const kept = (rack: FakeRack): string =>
      JSON.stringify([rack.journal.list(), rack.events, rack.errors, rack.nodes.list(), rack.rollouts().list()]);

    it("have them in the node's own write, and nowhere else; the next reimage has others, of the same config", async () => {
      const rack = await givingRack();
      for (const token of ["canary-1", "canary-2"]) {
        const id = await rack.startAll();
        await rack.untilEnded(id);
        const { phase, proof } = reimage(rack, id);
        assert.equal(phase, "proved");
        assert.equal(proof?.kind === "resident" && proof.config, digest);
        assert.equal(written(rack).at(-1), `https://k3s ${token}`);
      }
      assert.doesNotMatch(kept(rack), /canary/);
      const [plan] = (await rack.rollouts().plan({ nodes: [], all: true })).plans;
      assert.ok(
        plan?.steps.includes("Configure the new system by the profile a, with the secret token of the hook join."),
      );
      const [again] = (await rack.rollouts().plan({ nodes: [], all: true, onlyChanged: true })).plans;
      assert.notEqual(again?.unchanged, undefined, "a token that is made for each reimage makes no node another");
    });

    it("give the same to every attempt of a write", async () => {
      const rack = await givingRack();
      rack.machine().faults.writes.push("fetch-failed");
      const id = await rack.startAll();
      await rack.untilEnded(id);
      assert.equal(reimage(rack, id).phase, "proved");
      assert.deepEqual(written(rack).slice(-2), ["https://k3s canary-1", "https://k3s canary-1"]);
    });

    it("are asked again, they alone and with the same id, where the controller has started since", async () => {
      const rack = await givingRack();
      const id = await rack.startAll();
      await rack.clock.advanceUntil(() => reimage(rack, id).phase === "netbooting", 60_000, 100);
      rack.restart();
      await rack.untilEnded(id);
      assert.equal(reimage(rack, id).phase, "proved");
      assert.deepEqual(calls(rack), ["drain pi-1", "join pi-1", "join pi-1", "announce pi-1"]);
      assert.equal(rack.hookCalls[1]?.id, rack.hookCalls[2]?.id);
      assert.equal(written(rack).at(-1), "https://k3s canary-2");
    });

    it("that then fail leave the node untouched, and it goes back into its system", async () => {
      const rack = await givingRack();
      const id = await rack.startAll();
      await rack.clock.advanceUntil(() => reimage(rack, id).phase === "netbooting", 60_000, 100);
      rack.runHook = async () => {
        throw new Failure("hook-failed", "it ended with exit code 1, and said nothing");
      };
      rack.restart();
      await rack.untilEnded(id);
      const { phase, verdict, failure } = reimage(rack, id);
      assert.deepEqual([phase, verdict, failure?.reason], ["failed", "untouched", "hook-failed"]);
      await rack.clock.advanceSettling(120_000);
      assert.deepEqual([rack.targetOf(), rack.machine().role()], ["local", "resident"]);
    });

    it("fail by a bad answer, which nobody repeats, before anything is done to the node", async () => {
      const rack = await givingRack();
      rack.runHook = async ({ gives }) => (gives === undefined ? undefined : "canary: no JSON");
      const id = await rack.startAll();
      await rack.untilEnded(id);
      const { phase, verdict, failure } = reimage(rack, id);
      assert.deepEqual([phase, verdict], ["failed", "untouched"]);
      assert.match(
        failure?.message ?? "",
        /^the before-reimage hook join of pi-1 failed: it gives values, and did not answer with JSON alone/,
      );
      assert.doesNotMatch(kept(rack), /canary/);
      assert.deepEqual([rack.targetOf(), rack.machine().role()], ["local", "resident"]);
    });

    it("have them hidden in what hooks after them say", async () => {
      const rack = await givingRack(hook("before-reimage", "chatty"));
      rack.runHook = async ({ name }) => {
        if (name === "join") return answer("canary-line-1\ncanary-line-2");
        if (name !== "chatty") return undefined;
        throw new Failure("hook-failed", "it said: canary-line-2 | x", { found: "canary-line-1\ncanary-line-2\nx" });
      };
      const id = await rack.startAll();
      await rack.untilEnded(id);
      const { failure } = reimage(rack, id);
      assert.equal(failure?.message, "the before-reimage hook chatty of pi-1 failed: it said: (secret) | x");
      assert.equal(failure?.found, "(secret)\nx");
      assert.doesNotMatch(kept(rack), /canary/);
    });

    it("are ended with the reimage that asked them again", async () => {
      const rack = await givingRack();
      const id = await rack.startAll();
      await rack.clock.advanceUntil(() => reimage(rack, id).phase === "netbooting", 60_000, 100);
      const ended: boolean[] = [];
      rack.runHook = (given, call, signal) =>
        given.gives === undefined
          ? Promise.resolve(undefined)
          : hang(given, call, signal).finally(() => ended.push(signal.aborted));
      rack.restart();
      await rack.clock.advanceUntil(() => rack.hookCalls.length === 3, 600_000, 1000);
      rack.rollouts().cancel(id);
      await rack.untilEnded(id);
      await rack.clock.advanceSettling(0);
      assert.deepEqual(ended, [true]);
    });
  });

  it("are only for the nodes with their labels; a node without hooks is begun at once", async () => {
    const rack = await provedRack(1, [hook("before-reimage", "drain", "rack=a")]);
    rack.runHook = hang;
    const id = await rack.startAll();
    assert.equal(reimage(rack, id).phase, "netbooting");
    await rack.untilEnded(id);
    assert.deepEqual(rack.hookCalls, []);
  });
});
