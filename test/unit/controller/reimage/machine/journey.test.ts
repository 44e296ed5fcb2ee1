import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentError } from "../../../../../controller/agents/agent-error.ts";
import type { Reimage, RolloutId } from "../../../../../controller/reimage/plan/rollout.ts";
import { Failure } from "../../../../../proto/failure.ts";
import type { ImageDigest } from "../../../../../proto/pack/digest.ts";
import { disk } from "../fakes/fake-disk.ts";
import { createFakeRack, type FakeRack, image } from "../fakes/fake-rack.ts";

function only(rack: FakeRack, id: RolloutId): Reimage {
  const [reimage] =
    rack
      .rollouts()
      .list()
      .find((rollout) => rollout.id === id)?.reimages ?? [];
  assert.ok(reimage);
  return reimage;
}

/** A rack with one machine that is up in the netbooted agent, and its rollout just started. */
async function begun(rack = createFakeRack()): Promise<{ rack: FakeRack; id: RolloutId }> {
  rack.machine().powerOn();
  await rack.clock.advanceSettling(25_000);
  assert.equal(rack.machine().role(), "netboot");
  return { rack, id: await rack.startAll() };
}

function until(rack: FakeRack, id: RolloutId, phase: Reimage["phase"]): Promise<boolean> {
  return rack.clock.advanceUntil(() => only(rack, id).phase === phase, 3_600_000, 500);
}

function phasesTold(rack: FakeRack): string[] {
  return rack.events.filter(({ nodeId }) => nodeId !== undefined).map(({ type, message }) => `${type}: ${message}`);
}

test("a node in the agent is written, flipped to local, rebooted and proved", async () => {
  const { rack, id } = await begun();
  await rack.untilEnded(id);
  const reimage = only(rack, id);
  assert.equal(reimage.phase, "proved");
  assert.equal(reimage.attempts, 1);
  assert.equal(reimage.disk, "/dev/mmcblk0");
  assert.equal(reimage.progress?.phase, "writing-table", "how far the ended write came is known, too");
  assert.deepEqual(reimage.proof, {
    kind: "resident",
    previousBootId: "02:00:00:00:00:01-boot-1",
    bootId: "02:00:00:00:00:01-boot-2",
    rootDevice: "/dev/mmcblk0p2",
    imageDigest: image.digest,
    provedAt: reimage.endedAt,
  });
  assert.deepEqual(rack.machine().history, ["up-netboot", "write", "written", "reboot", "up-resident"]);
  assert.equal(rack.targetOf(), "local");
  assert.deepEqual(rack.nodes.get(rack.machine().id)?.proved, {
    imageName: "debian-12",
    imageDigest: image.digest,
    kind: "resident",
  });
  assert.equal(rack.rollouts().list()[0]?.state, "succeeded");
  assert.deepEqual(phasesTold(rack), [
    "reimage-phase-changed: waiting for pi-1 to netboot into the agent; if it runs a system without a resident agent, or is off, reboot or power-cycle it by hand",
    "reimage-phase-changed: pi-1 is in the agent; checking its disks",
    "reimage-phase-changed: writing debian-12 to /dev/mmcblk0 of pi-1 (attempt 1)",
    "reimage-phase-changed: /dev/mmcblk0 of pi-1 is written and verified (its root grew to 8 GiB); rebooting pi-1 into it",
    "reimage-phase-changed: pi-1 is booting; waiting for its proof",
    "reimage-proved: pi-1 proved that it runs debian-12 (d1d1d1d1d1d1) from /dev/mmcblk0p2",
  ]);
});

test("a node in an installed system is rebooted into the agent first", async () => {
  const { rack, id: first } = await begun();
  await rack.untilEnded(first);
  const id = await rack.startAll();
  await rack.untilEnded(id);
  assert.equal(only(rack, id).phase, "proved");
  assert.deepEqual(rack.machine().history.slice(5), [
    "reboot",
    "up-netboot",
    "write",
    "written",
    "reboot",
    "up-resident",
  ]);
});

test("a node that is off is waited for", async () => {
  const rack = createFakeRack();
  const id = await rack.startAll();
  await rack.clock.advanceSettling(120_000);
  assert.equal(only(rack, id).phase, "netbooting");
  rack.machine().powerOn();
  await rack.untilEnded(id);
  assert.equal(only(rack, id).phase, "proved");
});

test("a node that begins to boot at the last moment is given the time to boot", async () => {
  const rack = createFakeRack(1, { bootTimeoutMs: 60_000 });
  const id = await rack.startAll();
  await rack.clock.advanceSettling(45_000);
  rack.machine().powerOn();
  await rack.clock.advanceSettling(14_000);
  rack.machine().cutNetwork(30_000);
  await rack.untilEnded(id);
  assert.equal(only(rack, id).phase, "proved");
});

test("a node that boots again and again without an agent is not waited for for ever", async () => {
  const rack = createFakeRack(1, { bootTimeoutMs: 60_000, longestBootMs: 120_000 });
  const id = await rack.startAll();
  for (let time = 0; time < 10; time += 1) {
    rack.machine().powerCycle();
    await rack.clock.advanceSettling(15_000);
  }
  await rack.untilEnded(id);
  const { phase, failure } = only(rack, id);
  assert.deepEqual([phase, failure?.reason], ["failed", "node-silent"]);
});

test("what the agent's guard refuses fails with the guard's reason", async () => {
  const { rack, id } = await begun();
  rack.machine().faults.guard = "in-use";
  await rack.untilEnded(id);
  const { phase, failure, attempts } = only(rack, id);
  assert.deepEqual([phase, failure?.reason, attempts], ["failed", "in-use", 1]);
});

test("a node that never appears fails with what was last seen of it", async () => {
  const rack = createFakeRack();
  const id = await rack.startAll();
  await rack.untilEnded(id);
  const { failure } = only(rack, id);
  assert.equal(failure?.reason, "node-silent");
  assert.match(
    failure?.message ?? "",
    /pi-1 did not netboot into the agent within 10 min; it has fetched no boot file/,
  );
});

test("the boot target becomes local only after the write has succeeded", async () => {
  const { rack, id } = await begun();
  await until(rack, id, "writing");
  await rack.clock.advanceSettling(30_000);
  assert.equal(rack.targetOf(), "agent");
  await until(rack, id, "rebooting");
  assert.equal(rack.targetOf(), "local");
  assert.ok(rack.machine().history.includes("written"));
});

for (const [what, disturb] of Object.entries({
  "the agent is killed": (rack: FakeRack) => rack.machine().killAgent(),
  "the node loses power": (rack: FakeRack) => rack.machine().powerCycle(),
})) {
  test(`when ${what} during the write, the write starts again`, async () => {
    const { rack, id } = await begun();
    await until(rack, id, "writing");
    await rack.clock.advanceSettling(15_000);
    disturb(rack);
    await rack.untilEnded(id);
    const reimage = only(rack, id);
    assert.equal(reimage.phase, "proved");
    assert.equal(reimage.attempts, 2);
    assert.equal(rack.machine().history.filter((word) => word === "write").length, 2);
    assert.ok(rack.events.some(({ type }) => type === "reimage-write-restarted"));
  });
}

test("a broken stream is taken up again and the write goes on", async () => {
  const { rack, id } = await begun();
  await until(rack, id, "writing");
  await rack.clock.advanceSettling(10_000);
  rack.machine().cutNetwork(15_000);
  await rack.untilEnded(id);
  assert.equal(only(rack, id).phase, "proved");
  assert.equal(only(rack, id).attempts, 1);
});

test("that another machine at the node's address does not know the write does not make it lost", async () => {
  const { rack, id } = await begun();
  await until(rack, id, "writing");
  await rack.clock.advanceSettling(10_000);
  const { connect } = rack.machine();
  const stranger = async (): Promise<never> => {
    throw new AgentError("not-found", new Failure("invalid", "no such operation"), undefined);
  };
  const meetStranger = () => ({
    ...connect(),
    async getNode() {
      const found = await connect().getNode();
      return { ...found, facts: { ...found.facts, bootId: "the boot of somebody else" } };
    },
    watchOperation: async function* (): AsyncGenerator<never> {
      yield await stranger();
    },
    cancelOperation: stranger,
  });
  rack.machine().cutNetwork(5_000);
  Object.assign(rack.machine(), { connect: meetStranger });
  await rack.clock.advanceSettling(20_000);
  assert.deepEqual([only(rack, id).phase, only(rack, id).attempts], ["writing", 1]);
  Object.assign(rack.machine(), { connect });
  await rack.untilEnded(id);
  assert.deepEqual([only(rack, id).phase, only(rack, id).attempts], ["proved", 1]);
});

test("a board that registers with the node's MAC address does not put the real agent into the past for ever", async () => {
  const { rack, id } = await begun();
  await until(rack, id, "writing");
  const { agent, facts, ...node } = rack.nodes.get(rack.machine().id) ?? assert.fail();
  assert.ok(agent && facts);
  const clone = { ...node, agent: { ...agent, instanceId: "clone" }, facts: { ...facts, bootId: "boot of a clone" } };
  rack.emit({ node: clone, cause: "registered" });
  assert.equal(only(rack, id).phase, "netbooting");
  await rack.untilEnded(id);
  assert.equal(only(rack, id).phase, "proved");
  assert.deepEqual(rack.machine().history, ["up-netboot", "write", "written", "reboot", "up-resident"], "one write");
});

test("a node that is cut off for longer than a write may stall is still waited for", async () => {
  const { rack, id } = await begun(createFakeRack(1, { stallTimeoutMs: 20_000 }));
  await until(rack, id, "writing");
  rack.machine().cutNetwork(300_000);
  await rack.untilEnded(id);
  assert.equal(only(rack, id).phase, "proved");
  assert.equal(only(rack, id).attempts, 1);
});

test("a write that stops making progress fails and is cancelled", async () => {
  const { rack, id } = await begun();
  rack.machine().faults.stalls = true;
  await rack.untilEnded(id);
  const { failure, phase } = only(rack, id);
  assert.equal(phase, "failed");
  assert.equal(failure?.reason, "device-error");
  assert.match(failure?.message ?? "", /no progress for 5 min/);
  await rack.clock.advanceSettling(1000);
  assert.equal(rack.machine().history.at(-1), "write-cancelled");
  assert.equal(rack.targetOf(), "agent");
});

test("a disk that took the name of the one being written is not touched", async () => {
  const rack = createFakeRack();
  const [first, second] = [disk({ path: "/dev/sda", serial: "A" }), disk({ path: "/dev/sdb", serial: "B" })];
  rack.machine().devices = [first, second];
  rack.machine().powerOn();
  await rack.clock.advanceSettling(25_000);
  const { id } = await rack.rollouts().start({ nodes: [rack.machine().id], all: false, disk: "/dev/sda" });
  await until(rack, id, "writing");
  // It loses power, and the kernel finds the two the other way round.
  rack.machine().devices = [
    { ...second, path: "/dev/sda", name: "sda" },
    { ...first, path: "/dev/sdb", name: "sdb" },
  ];
  rack.machine().powerCycle();
  await rack.untilEnded(id);
  const { phase, failure } = only(rack, id);
  assert.deepEqual([phase, failure?.reason], ["failed", "no-disk-chosen"]);
  assert.match(failure?.message ?? "", /\/dev\/sda is no longer the disk/);
  assert.equal(rack.machine().history.filter((word) => word === "write").length, 1);
});

test("what a node once proved holds no longer when its disk is being erased", async () => {
  const { rack, id: first } = await begun();
  await rack.untilEnded(first);
  const proved = () => rack.nodes.get(rack.machine().id)?.proved?.imageName;
  assert.equal(proved(), "debian-12");
  const second = await rack.startAll();
  assert.equal(proved(), "debian-12");
  await until(rack, second, "writing");
  assert.equal(proved(), undefined);
});

test("a node that restarts during every write is given up", async () => {
  const { rack, id } = await begun();
  for (let time = 1; time <= 5; time += 1) {
    await rack.clock.advanceUntil(() => only(rack, id).attempts === time, 3_600_000, 500);
    await rack.clock.advanceSettling(10_000);
    rack.machine().powerCycle();
    await rack.clock.advanceSettling(1000);
  }
  await rack.untilEnded(id);
  const { phase, failure, attempts } = only(rack, id);
  assert.deepEqual([phase, failure?.reason, attempts], ["failed", "node-silent", 5]);
  assert.equal(rack.targetOf(), "agent");
});

test("a failed fetch is tried again after a pause, five times in all", async () => {
  const { rack, id } = await begun();
  rack.machine().faults.writes.push("fetch-failed", "fetch-failed");
  await rack.untilEnded(id);
  assert.deepEqual([only(rack, id).phase, only(rack, id).attempts], ["proved", 3]);

  const second = await begun();
  second.rack.machine().faults.writes.push(...Array<"fetch-failed">(5).fill("fetch-failed"));
  await second.rack.untilEnded(second.id);
  const { phase, failure, attempts } = only(second.rack, second.id);
  assert.deepEqual([phase, failure?.reason, attempts], ["failed", "fetch-failed", 5]);
});

for (const reason of ["image-damaged", "verify-mismatch", "device-error", "tool-failed", "internal"] as const) {
  test(`a write that fails with ${reason} is not repeated`, async () => {
    const { rack, id } = await begun();
    rack.machine().faults.writes.push(reason);
    await rack.untilEnded(id);
    const { phase, failure, attempts } = only(rack, id);
    assert.deepEqual([phase, failure?.reason, attempts], ["failed", reason, 1]);
    assert.equal(rack.targetOf(), "agent");
  });
}

test("a disk that may not be erased ends the reimage before anything is written", async () => {
  const { rack, id } = await begun();
  rack.machine().devices = [disk({ sizeBytes: 2 ** 29 })];
  await rack.untilEnded(id);
  assert.deepEqual([only(rack, id).phase, only(rack, id).failure?.reason], ["failed", "too-small"]);
  assert.ok(!rack.machine().history.includes("write"));
});

test("a node that does not come back goes back to target agent, with its last boot stage told", async () => {
  const { rack, id } = await begun();
  rack.machine().faults.staysDown = true;
  await rack.untilEnded(id);
  const { phase, failure } = only(rack, id);
  assert.equal(phase, "failed");
  assert.equal(failure?.reason, "node-silent");
  assert.match(failure?.message ?? "", /did not come back from its reboot within 10 min/);
  assert.equal(rack.targetOf(), "agent");
  assert.equal(rack.rollouts().list()[0]?.state, "failed");
});

test("a node that hangs while booting its card fails with the file that it fetched last", async () => {
  const { rack, id } = await begun();
  await until(rack, id, "rebooting");
  rack.machine().card = "blank";
  await rack.untilEnded(id);
  assert.match(only(rack, id).failure?.message ?? "", /fetching "images\/d1[^"]*\/vmlinuz" 10 min ago/);
  assert.equal(rack.targetOf(), "agent");
});

test("a node that comes back in the agent is asked once more to reboot, and then fails as the wrong system", async () => {
  const { rack, id } = await begun();
  rack.machine().faults.ignoresCard = true;
  await rack.untilEnded(id);
  const { phase, failure } = only(rack, id);
  assert.deepEqual([phase, failure?.reason], ["failed", "wrong-system"]);
  assert.equal(rack.machine().history.filter((word) => word === "reboot").length, 2);
  assert.equal(rack.targetOf(), "agent");
});

test("a node that lost power just before the flip, and so boots the agent once more, is proved all the same", async () => {
  const { rack, id } = await begun();
  await until(rack, id, "writing");
  await rack.clock.advanceUntil(() => rack.machine().history.includes("written"), 60_000, 100);
  // The controller knows of the success by now; the machine boots with the config of before.
  rack.machine().faults.ignoresCard = true;
  rack.machine().powerCycle();
  await rack.clock.advanceSettling(25_000);
  rack.machine().faults.ignoresCard = false;
  await rack.untilEnded(id);
  assert.equal(only(rack, id).phase, "proved");
});

test("a node that comes back on an older installation fails with the evidence", async () => {
  const { rack, id } = await begun();
  await until(rack, id, "rebooting");
  const older = { imageName: "old", imageDigest: "00".repeat(32) as ImageDigest, reimageId: "older", installedAt: "" };
  rack.machine().card = older;
  await rack.untilEnded(id);
  const { failure } = only(rack, id);
  assert.deepEqual(
    [failure?.reason, failure?.expected, failure?.found],
    ["wrong-system", image.digest, older.imageDigest],
  );
  assert.equal(rack.targetOf(), "agent");
});

test("an installed system that always comes back instead of the agent is not rebooted for ever", async () => {
  const { rack, id: first } = await begun();
  await rack.untilEnded(first);
  rack.machine().faults.prefersCard = true;
  const id = await rack.startAll();
  await rack.untilEnded(id);
  const { phase, failure } = only(rack, id);
  assert.deepEqual([phase, failure?.reason], ["failed", "wrong-system"]);
  assert.match(failure?.message ?? "", /rebooted 2 times .* put the network before that disk/);
});

test("heartbeats and registrations of the old boot after the flip prove nothing", async () => {
  const { rack, id } = await begun();
  rack.machine().faults.rebootRefusal = "no way to reboot";
  await until(rack, id, "rebooting");
  rack.machine().registerAgain();
  await rack.clock.advanceSettling(60_000);
  assert.equal(only(rack, id).phase, "rebooting");
  delete rack.machine().faults.rebootRefusal;
  await rack.untilEnded(id);
  assert.equal(only(rack, id).phase, "proved");
});

test("a lost answer to the reboot request is no error", async () => {
  const { rack, id } = await begun();
  rack.machine().faults.losesRebootAnswers = true;
  await rack.untilEnded(id);
  assert.equal(only(rack, id).phase, "proved");
});

test("what answers at the node's address in another boot than the registered one is never written to", async () => {
  const rack = createFakeRack();
  rack.machine().powerOn();
  await rack.clock.advanceSettling(25_000);
  const { connect } = rack.machine();
  Object.assign(rack.machine(), {
    connect: () => ({
      ...connect(),
      async getNode() {
        const found = await connect().getNode();
        return { ...found, facts: { ...found.facts, bootId: "the boot of somebody else" } };
      },
    }),
  });
  const id = await rack.startAll();
  await rack.untilEnded(id);
  const { phase, failure } = only(rack, id);
  assert.deepEqual([phase, failure?.reason], ["failed", "node-silent"]);
  assert.match(failure?.message ?? "", /not the one that registered/);
  assert.deepEqual(rack.machine().history, ["up-netboot"]);
});

test("a write is not started on another boot than the one that was checked", async () => {
  const rack = createFakeRack();
  rack.machine().powerOn();
  await rack.clock.advanceSettling(25_000);
  const { connect } = rack.machine();
  let asked = 0;
  Object.assign(rack.machine(), {
    connect: () => ({
      ...connect(),
      async getNode() {
        asked += 1;
        const found = await connect().getNode();
        return asked > 1 && asked < 5 ? { ...found, facts: { ...found.facts, bootId: "somebody else's" } } : found;
      },
    }),
  });
  const id = await rack.startAll();
  await rack.clock.advanceSettling(5000);
  assert.equal(asked, 4);
  assert.deepEqual(rack.machine().history, ["up-netboot"]);
  await rack.untilEnded(id);
  assert.deepEqual([only(rack, id).phase, only(rack, id).attempts], ["proved", 1]);
});

test("the disk that was chosen first stays the chosen one when the write starts again", async () => {
  const { rack, id } = await begun();
  const stick = disk({ path: "/dev/sda", transport: "usb" });
  rack.machine().devices = [stick];
  await until(rack, id, "writing");
  // The card comes into sight only with the next boot.
  rack.machine().devices = [stick, disk()];
  rack.machine().killAgent();
  await rack.clock.advanceUntil(() => only(rack, id).attempts === 2, 600_000);
  assert.equal(only(rack, id).disk, "/dev/sda");
});

for (const phase of ["queued", "netbooting", "checking", "writing", "rebooting", "proving"] as const) {
  test(`cancelled while ${phase}: target agent, no half-written system, and nothing more happens`, async () => {
    const rack = createFakeRack(1, phase === "queued" ? { maxConcurrent: 0 } : {});
    if (phase !== "netbooting") rack.machine().powerOn();
    if (phase !== "netbooting") await rack.clock.advanceSettling(25_000);
    if (phase === "checking") {
      // Its disks cannot be asked for while the network is cut.
      rack.machine().cutNetwork(20_000);
    }
    const id = await rack.startAll();
    await rack.clock.advanceSettling(phase === "checking" ? 100 : 0);
    assert.ok(await until(rack, id, phase), `never ${phase}`);
    if (phase === "writing") await rack.clock.advanceSettling(10_000);
    rack.rollouts().cancel(id);
    await rack.untilEnded(id);
    assert.equal(only(rack, id).phase, "cancelled");
    assert.equal(only(rack, id).failure?.reason, "cancelled");
    assert.equal(rack.rollouts().list()[0]?.state, "cancelled");
    assert.equal(rack.targetOf(), "agent");
    if (phase === "writing") {
      assert.equal(rack.machine().history.at(-1), "write-cancelled");
      assert.equal(rack.machine().card, "blank");
    }
    const before = rack.machine().history.filter((word) => word === "reboot").length;
    rack.machine().powerCycle();
    await rack.clock.advanceSettling(1_800_000);
    assert.equal(rack.machine().history.filter((word) => word === "reboot").length, before);
    assert.equal(rack.machine().role(), "netboot");
  });
}

test("a write that is cancelled while its node is unreachable ends as cancelled, saying so", async () => {
  const { rack, id } = await begun();
  await until(rack, id, "writing");
  rack.machine().powerOff();
  rack.rollouts().cancel(id);
  assert.equal(only(rack, id).phase, "writing");
  await rack.untilEnded(id);
  assert.equal(only(rack, id).phase, "cancelled");
  assert.match(only(rack, id).failure?.message ?? "", /did not answer/);
});

test("a finished reimage does not react to late reports", async () => {
  const { rack, id } = await begun();
  await rack.untilEnded(id);
  const targets = rack.targets.length;
  const boot = rack.machine().bootId();
  const node = rack.nodes.get(rack.machine().id);
  assert.ok(node?.facts && node.agent);
  rack.emit({
    node: { ...node, agent: { ...node.agent, role: "netboot" }, facts: { ...node.facts, bootId: "late" } },
    cause: "registered",
  });
  rack.emit({ node, cause: "boot-file-fetched" });
  await rack.clock.advanceSettling(3_600_000);
  assert.equal(rack.machine().bootId(), boot);
  assert.equal(rack.targets.length, targets);
  assert.equal(rack.targetOf(), "local");
});

test("a boot target that cannot be set fails the reimage without a reboot, and goes back to agent as soon as it can", async () => {
  const { rack, id } = await begun();
  await until(rack, id, "writing");
  const { connect } = rack.machine();
  let asked = 0;
  Object.assign(rack.machine(), {
    connect: () => ({
      ...connect(),
      reboot(boot: string) {
        asked += 1;
        return connect().reboot(boot);
      },
    }),
  });
  rack.failTargets = 2;
  await rack.untilEnded(id);
  const { phase, failure } = only(rack, id);
  assert.deepEqual([phase, failure?.reason, failure?.message], ["failed", "internal", "disk full"]);
  assert.equal(asked, 0);
  assert.equal(rack.targetOf(), "agent");
  assert.equal(rack.targets.at(-1)?.target.kind, "agent");
});

test("what the journal does not take is not acted upon until it does", async () => {
  const { rack, id } = await begun();
  await until(rack, id, "writing");
  rack.journal.failNext = 3;
  await rack.clock.advanceSettling(41_000);
  assert.equal(rack.targetOf(), "agent");
  await rack.untilEnded(id);
  assert.equal(only(rack, id).phase, "proved");
  assert.equal(rack.errors.length, 3);
});

test("killed after any save and started again, the controller brings the node to its proof", async () => {
  const normal = await begun();
  await normal.rack.untilEnded(normal.id);
  const saves = normal.rack.journal.saves();
  assert.ok(saves >= 8, `only ${saves} saves`);
  for (let point = 1; point <= saves; point += 1) {
    for (const awayMs of [0, 5_000, 600_000]) {
      const rack = createFakeRack();
      rack.machine().powerOn();
      await rack.clock.advanceSettling(25_000);
      rack.journal.onSave = (count) => {
        if (count === point) rack.crash();
      };
      await rack.startAll().catch(() => undefined);
      await rack.clock.advanceUntil(() => rack.journal.saves() >= point, 3_600_000);
      await rack.clock.advanceSettling(awayMs);
      rack.restart();
      const id = rack.journal.list()[0]?.rollout.id as RolloutId;
      await rack.untilEnded(id);
      const { phase, failure } = only(rack, id);
      assert.equal(phase, "proved", `crash after save ${point}, away ${awayMs} ms: ${failure?.message}`);
      assert.equal(rack.targetOf(), "local");
      assert.equal(rack.machine().history.filter((word) => word === "write").length, 1);
    }
  }
});

test("killed after any save of a failing reimage, the boot target is agent in the end", async () => {
  for (let point = 1; point <= 9; point += 1) {
    const rack = createFakeRack();
    rack.machine().powerOn();
    await rack.clock.advanceSettling(25_000);
    rack.machine().faults.staysDown = true;
    rack.journal.onSave = (count) => {
      if (count === point) rack.crash();
    };
    await rack.startAll().catch(() => undefined);
    await rack.clock.advanceUntil(() => rack.journal.saves() >= point, 3_600_000);
    rack.restart();
    const id = rack.journal.list()[0]?.rollout.id as RolloutId;
    await rack.untilEnded(id);
    assert.equal(only(rack, id).phase, "failed");
    assert.equal(rack.targetOf(), "agent");
  }
});
