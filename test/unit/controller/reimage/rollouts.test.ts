import assert from "node:assert/strict";
import { test } from "node:test";
import { actFor } from "../../../../controller/callers/author.ts";
import type { ImageName } from "../../../../controller/images/catalogue/image.ts";
import { Refusal } from "../../../../controller/refusal/refusal.ts";
import type { Rollout, RolloutId, RolloutRequest } from "../../../../controller/reimage/plan/rollout.ts";
import { Failure } from "../../../../proto/failure.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import { createFakeRack, type FakeRack, image } from "./fakes/fake-rack.ts";

const everything: RolloutRequest = { nodes: [], all: true };
const id = "r1" as RolloutId;

function named(...nodes: string[]): RolloutRequest {
  return { nodes, all: false };
}

async function poweredRack(count: number, settings = {}): Promise<FakeRack> {
  const rack = createFakeRack(count, settings);
  for (const machine of rack.machines) machine.powerOn();
  await rack.clock.advanceSettling(25_000);
  return rack;
}

function isRefusal(kind: string, message: RegExp) {
  return (error: unknown): boolean => error instanceof Refusal && error.kind === kind && message.test(error.message);
}

function isInvalid(message: RegExp) {
  return (error: unknown): boolean =>
    error instanceof Failure &&
    !(error instanceof Refusal) &&
    error.reason === "invalid" &&
    message.test(error.message);
}

test("all means the accepted nodes, by name", async () => {
  const rack = createFakeRack(12);
  rack.unaccept(0, 3, 4, 5, 6, 7, 8, 9, 11);
  const { reimages } = await rack.rollouts().start(everything);
  assert.deepEqual(
    reimages.map(({ nodeName }) => nodeName),
    ["pi-2", "pi-3", "pi-11"],
  );
});

test("a pending node is not reimaged, not even by name, and nor are those named with it", async () => {
  const rack = createFakeRack(3);
  rack.unaccept(0, 2);
  const says = isRefusal(
    "precondition",
    /^pi-1, pi-3 are pending: .*; if they are yours: controller node accept pi-1 pi-3$/,
  );
  await assert.rejects(rack.rollouts().start(named("pi-3", "pi-2", "pi-1")), says);
  await assert.rejects(rack.rollouts().plan(named("pi-3", "pi-2", "pi-1")), says);
  assert.deepEqual(rack.rollouts().list(), []);
  assert.equal((await rack.rollouts().start(named("pi-2"))).reimages.length, 1);
});

test("a node that is named by two of its names is reimaged once", async () => {
  const rack = createFakeRack(2);
  const { reimages } = await rack.rollouts().start(named("pi-2", "02:00:00:00:00:02", "pi-1"));
  assert.deepEqual(
    reimages.map(({ nodeName }) => nodeName),
    ["pi-1", "pi-2"],
  );
});

const refused: readonly [title: string, request: RolloutRequest, expected: (error: unknown) => boolean][] = [
  ["all when none is accepted", everything, isInvalid(/no node is accepted/)],
  ["no node", named(), isInvalid(/no node is named/)],
  ["nodes and all", { nodes: ["pi-1"], all: true }, isInvalid(/not both/)],
  ["an unknown node", named("pi-1", "pi-9"), isRefusal("not-found", /no node "pi-9"/)],
  ["an unknown image", { ...named("pi-1"), imageName: "beos" }, isRefusal("not-found", /no image "beos"/)],
];

for (const [title, request, expected] of refused) {
  test(`a request with ${title} is refused, planned or started`, async () => {
    const rack = createFakeRack(1);
    if (request.all) rack.unaccept(0);
    await assert.rejects(rack.rollouts().start(request), expected);
    await assert.rejects(rack.rollouts().plan(request), expected);
    assert.deepEqual(rack.rollouts().list(), []);
  });
}

test("the only image needs no name, one of several does, and none is an error", async () => {
  const rack = createFakeRack(1);
  rack.images = [];
  await assert.rejects(rack.rollouts().start(named("pi-1")), isInvalid(/there is no image yet/));
  rack.images = [image, { ...image, name: "alpine" as ImageName, digest: "a1".repeat(32) as ImageDigest }];
  await assert.rejects(rack.rollouts().start(named("pi-1")), isInvalid(/with --image: alpine, debian-12/));
  const { imageName } = await rack.rollouts().start({ ...named("pi-1"), imageName: "alpine" });
  assert.equal(imageName, "alpine");
});

test("the same id and request is the same rollout, also later and after a restart; another request is refused", async () => {
  const rack = createFakeRack(2);
  const first = await rack.rollouts().start({ ...named("pi-1"), id });
  assert.equal(first.id, id);
  assert.deepEqual(await rack.rollouts().start({ ...named("pi-1"), id }), first);
  await assert.rejects(rack.rollouts().start({ ...named("pi-2"), id }), isRefusal("already-exists", /r1/));
  rack.restart();
  assert.equal((await rack.rollouts().start({ ...named("pi-1"), id })).reimages[0]?.id, first.reimages[0]?.id);
  assert.equal(rack.rollouts().list().length, 1);
});

test("a node has one reimage: a second is refused, naming the first, until that has ended", async () => {
  const rack = await poweredRack(2);
  await rack.rollouts().start({ ...named("pi-1"), id });
  assert.equal(rack.rollouts().activeRolloutOf(rack.machine(0).id), id);
  assert.equal(rack.rollouts().activeRolloutOf(rack.machine(1).id), undefined);
  const second = () => rack.rollouts().start(named("pi-1", "pi-2"));
  await assert.rejects(second(), isRefusal("precondition", /pi-1 is being reimaged by rollout r1/));
  assert.equal(rack.rollouts().activeRolloutOf(rack.machine(1).id), undefined);
  await rack.untilEnded(id);
  assert.equal(rack.rollouts().activeRolloutOf(rack.machine(0).id), undefined);
  await second();
});

test("of several starts at the same moment one wins", async () => {
  const rack = createFakeRack(1);
  const results = await Promise.allSettled([1, 2, 3].map(() => rack.rollouts().start(named("pi-1"))));
  assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected", "rejected"]);
  assert.equal(rack.rollouts().list().length, 1);
});

test("the same start, repeated before it was answered, is one rollout", async () => {
  const rack = createFakeRack(1);
  const [first, second] = await Promise.all([1, 2].map(() => rack.rollouts().start({ ...named("pi-1"), id })));
  assert.deepEqual(first, second);
  assert.equal(rack.rollouts().list().length, 1);
});

test("no more reimages than allowed are at work at once; the others wait for their turn", async () => {
  const rack = await poweredRack(7, { maxConcurrent: 2 });
  await rack.rollouts().start({ ...named("pi-1", "pi-2", "pi-3", "pi-4", "pi-5", "pi-6"), id });
  await rack.rollouts().start({ ...named("pi-7"), id: "r2" as RolloutId });
  let most = 0;
  const ended = await rack.clock.advanceUntil(() => {
    const all = rack
      .rollouts()
      .list()
      .flatMap(({ reimages }) => reimages);
    most = Math.max(most, all.filter(({ phase, endedAt }) => phase !== "queued" && endedAt === undefined).length);
    return all.every(({ endedAt }) => endedAt !== undefined);
  }, 3_600_000);
  assert.ok(ended);
  assert.equal(most, 2);
  assert.ok(
    rack
      .rollouts()
      .list()
      .every(({ state }) => state === "succeeded"),
  );
});

test("twenty nodes at once are all proved", async () => {
  const rack = await poweredRack(20);
  const all = await rack.startAll();
  await rack.untilEnded(all);
  assert.equal(rack.rollouts().list()[0]?.state, "succeeded");
  assert.equal(rack.events.filter(({ type }) => type === "reimage-proved").length, 20);
  assert.match(rack.events.at(-1)?.message ?? "", /ended: 20 of 20 nodes run debian-12/);
});

test("one failed node makes the rollout failed, and the others are proved all the same", async () => {
  const rack = await poweredRack(3);
  rack.machine(1).faults.writes.push("device-error");
  const all = await rack.startAll();
  await rack.untilEnded(all);
  const [rollout] = rack.rollouts().list();
  assert.equal(rollout?.state, "failed");
  assert.deepEqual(
    rollout?.reimages.map(({ phase }) => phase),
    ["proved", "failed", "proved"],
  );
  assert.equal(typeof rollout?.endedAt, "number");
});

test("cancelling ends what has not ended and leaves what is proved", async () => {
  const rack = await poweredRack(2, { maxConcurrent: 1 });
  const all = await rack.startAll();
  await rack.clock.advanceUntil(() => rack.rollouts().list()[0]?.reimages[0]?.phase === "proved", 600_000);
  rack.rollouts().cancel(all);
  await rack.untilEnded(all);
  const [rollout] = rack.rollouts().list();
  assert.deepEqual(
    [rollout?.state, rollout?.reimages.map(({ phase }) => phase)],
    ["cancelled", ["proved", "cancelled"]],
  );
  assert.deepEqual([rack.targetOf(0), rack.targetOf(1)], ["local", "agent"]);
  const again = rack.rollouts().cancel(all);
  assert.deepEqual(again.rollout, rollout);
  assert.deepEqual([again.summary.proved, again.summary.endedBefore], [1, 1]);
});

test("a node whose turn never came keeps booting what it booted", async () => {
  const rack = await poweredRack(2, { maxConcurrent: 1 });
  const first = await rack.startAll();
  await rack.untilEnded(first);
  assert.deepEqual([rack.targetOf(0), rack.targetOf(1)], ["local", "local"]);
  const second = await rack.startAll();
  rack.rollouts().cancel(second);
  rack.restart();
  await rack.untilEnded(second);
  assert.deepEqual([rack.targetOf(0), rack.targetOf(1)], ["local", "local"]);
});

test("a cancellation survives a restart of the controller", async () => {
  const rack = await poweredRack(1);
  const all = await rack.startAll();
  await rack.clock.advanceSettling(10_000);
  rack.journal.onSave = () => rack.crash();
  rack.rollouts().cancel(all);
  rack.journal.onSave = () => {};
  rack.restart();
  await rack.untilEnded(all);
  assert.equal(rack.rollouts().list()[0]?.state, "cancelled");
  assert.equal(rack.machine().card, "blank");
});

test("unknown rollouts can be neither cancelled nor watched", async () => {
  const rack = createFakeRack(1);
  assert.throws(() => rack.rollouts().cancel(id), isRefusal("not-found", /no rollout "r1"/));
  const watching = rack.rollouts().watch(id, new AbortController().signal)[Symbol.asyncIterator]();
  await assert.rejects(watching.next(), isRefusal("not-found", /no rollout "r1"/));
});

test("a watched rollout is told at most four times a second, and its end always", async () => {
  const rack = await poweredRack(3);
  const all = await rack.startAll();
  const seen: { at: number; rollout: Rollout }[] = [];
  const watching = (async () => {
    for await (const rollout of rack.rollouts().watch(all, new AbortController().signal)) {
      seen.push({ at: rack.clock.now(), rollout });
    }
  })();
  await rack.untilEnded(all);
  await watching;
  assert.ok(seen.length > 20, `${seen.length} states`);
  for (const [index, { at, rollout }] of seen.entries()) {
    const before = seen[index - 1];
    if (before !== undefined && rollout.state === "running") assert.ok(at - before.at >= 250);
  }
  assert.equal(seen[0]?.rollout.state, "running");
  assert.equal(seen.at(-1)?.rollout.state, "succeeded");
  assert.equal(seen.filter(({ rollout }) => rollout.state !== "running").length, 1);
  assert.ok(seen.some(({ rollout }) => rollout.reimages.some(({ progress }) => (progress?.written.done ?? 0) > 0)));
});

test("watching an ended rollout gives it once; watching ends with its signal", async () => {
  const rack = await poweredRack(1);
  const all = await rack.startAll();
  const stop = new AbortController();
  const watching = Array.fromAsync(rack.rollouts().watch(all, stop.signal));
  await rack.clock.advanceSettling(5_000);
  stop.abort();
  assert.ok((await watching).every(({ state }) => state === "running"));
  await rack.untilEnded(all);
  const states = await Array.fromAsync(rack.rollouts().watch(all, new AbortController().signal));
  assert.deepEqual(
    states.map(({ state }) => state),
    ["succeeded"],
  );
});

test("rollouts are listed newest first, before and after a restart", async () => {
  const rack = createFakeRack(2);
  await rack.rollouts().start({ ...named("pi-1"), id });
  await rack.rollouts().start({ ...named("pi-2"), id: "r2" as RolloutId });
  const ids = () =>
    rack
      .rollouts()
      .list()
      .map((rollout) => rollout.id);
  assert.deepEqual(ids(), ["r2", "r1"]);
  rack.restart();
  assert.deepEqual(ids(), ["r2", "r1"]);
});

test("progress is not journaled", async () => {
  const rack = await poweredRack(1);
  const all = await rack.startAll();
  await rack.untilEnded(all);
  assert.ok(rack.journal.saves() <= 12, `${rack.journal.saves()} saves`);
});

test("the end of a rollout that the journal does not take is told later, and survives a crash in between", async () => {
  const normal = await poweredRack(1);
  await normal.untilEnded(await normal.startAll());
  const last = normal.journal.saves();
  const rack = await poweredRack(1);
  rack.journal.onSave = (count) => {
    if (count === last - 1) rack.journal.failNext = 2;
  };
  const all = await rack.startAll();
  await rack.untilEnded(all);
  assert.equal(rack.rollouts().list()[0]?.state, "succeeded");
  assert.equal(rack.events.filter(({ type }) => type === "rollout-ended").length, 1);
});

test("a plan asks the disks of those that are online and does nothing", async () => {
  const rack = await poweredRack(2);
  rack.machine(1).powerOff();
  await rack.clock.advanceSettling(60_000);
  const plan = await rack.rollouts().plan(named("pi-2", "pi-1"));
  assert.equal(plan.image.name, "debian-12");
  assert.deepEqual(
    plan.plans.map(({ nodeName, disk }) => [nodeName, disk]),
    [
      ["pi-1", "/dev/mmcblk0"],
      ["pi-2", undefined],
    ],
  );
  assert.match(plan.plans[1]?.note ?? "", /offline/);
  assert.deepEqual(rack.machine().history, ["up-netboot"]);
  assert.equal(rack.journal.saves(), 0);
  assert.deepEqual(rack.targets, []);
});

test("a plan names the rollout that is at work on a node", async () => {
  const rack = await poweredRack(1);
  await rack.rollouts().start({ ...named("pi-1"), id });
  const { plans } = await rack.rollouts().plan(named("pi-1"));
  assert.match(plans[0]?.refusal?.message ?? "", /by rollout r1/);
});

test("the start and the cancellation of a rollout are in the name of who asked, and every step the controller's own", async () => {
  const rack = await poweredRack(2, { maxConcurrent: 1 });
  const operator = (name: string) => ({ by: { kind: "operator", name, role: "operator" }, from: "10.0.0.9" }) as const;
  await actFor(operator("anna"), () =>
    rack.rollouts().start({ ...everything, all: false, nodes: ["pi-1", "pi-2"], id }),
  );
  // News of a node come in the name of its agent.
  await actFor({ by: { kind: "anonymous" } }, () => rack.clock.advanceSettling(40_000));
  actFor(operator("ben"), () => rack.rollouts().cancel(id));
  await actFor({ by: { kind: "anonymous" } }, () => rack.untilEnded(id));
  const authors = Object.groupBy(rack.events, ({ by }) => ("name" in by ? by.name : by.kind));
  const typesOf = (name: string) => [...new Set(authors[name]?.map(({ type }) => type))].sort();
  assert.deepEqual(typesOf("anna"), ["rollout-started"]);
  assert.deepEqual(typesOf("ben"), ["rollout-cancelled"]);
  assert.deepEqual(typesOf("controller"), ["reimage-cancelled", "reimage-phase-changed", "rollout-ended"]);
  assert.deepEqual(Object.keys(authors).sort(), ["anna", "ben", "controller"]);
  assert.ok(authors["anna"]?.every(({ from }) => from === "10.0.0.9"));
});

for (const [name, aheadMs, bootId, took] of [
  ["what it took", 0, "the-controllers", (ms: number) => ms],
  ["what it took, whatever the clock was set to meanwhile", 30_000, "the-controllers", (ms: number) => ms - 30_000],
  ["nothing of what it took when the controller's machine has booted meanwhile", 0, "the-next", () => undefined],
] as const)
  test(`a rollout that has ended knows ${name}, also after a restart`, async () => {
    const rack = await poweredRack(1);
    const all = await rack.startAll();
    await rack.clock.advanceSettling(5_000);
    const [running] = rack.rollouts().list();
    assert.ok(running);
    assert.equal(running.tookMs, rack.clock.now() - running.startedAt);
    assert.equal(running.reimages[0]?.tookMs, undefined);
    rack.clockAheadMs = aheadMs;
    rack.controllerBootId = bootId;
    await rack.untilEnded(all);
    rack.crash();
    rack.restart();
    const [ended] = rack.rollouts().list();
    const [reimage] = ended?.reimages ?? [];
    assert.ok(ended?.endedAt && reimage?.endedAt);
    assert.equal(ended.tookMs, took(ended.endedAt - ended.startedAt));
    assert.equal(reimage.tookMs, took(reimage.endedAt - reimage.startedAt));
  });

for (const [name, setByMs] of [
  ["forward by two hours", 7_200_000],
  ["forward from 1970", 56 * 365 * 86_400_000],
  ["back by two hours", -7_200_000],
] as const)
  test(`whenever the controller's clock is set ${name}, a reimage goes on as if nothing had been`, async () => {
    for (let afterMs = 0; afterMs < 60_000; afterMs += 2_000) {
      const rack = await poweredRack(1);
      const all = await rack.startAll();
      await rack.clock.advanceSettling(afterMs);
      rack.clockAheadMs = setByMs;
      await rack.untilEnded(all);
      const [reimage] = rack.rollouts().list()[0]?.reimages ?? [];
      assert.equal(reimage?.phase, "proved", `set after ${afterMs} ms: ${reimage?.failure?.message}`);
    }
  });
