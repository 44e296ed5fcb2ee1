import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NewEvent } from "../../../../controller/events/event.ts";
import { strandedSystemOf, unclaimedSystemOf } from "../../../../controller/nodes/judge-stamped-system.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import { queuedReimage } from "../../../../controller/reimage/machine/reimage-state.ts";
import type { ReimageId, RolloutId } from "../../../../controller/reimage/plan/rollout.ts";
import { takeUpRestored } from "../../../../controller/serving/take-up-restored.ts";
import { openStore } from "../../../../controller/store/open-store.ts";
import { restoredKey, restoredStateIn } from "../../../../controller/store/restored-state.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import type { InstalledSystem } from "../../../../proto/system/installed-system.ts";

const [one, two] = ["b8:27:eb:00:00:01", "b8:27:eb:00:00:02"] as NodeId[];
const [older, newer] = ["a".repeat(64), "b".repeat(64)] as ImageDigest[];
const takenAt = Date.parse("2026-11-30T03:00:00Z");
const stamp = (reimageId: string, at: string): InstalledSystem => ({
  imageName: "newer",
  imageDigest: newer as ImageDigest,
  reimageId,
  installedAt: at,
});
const later = "2026-11-30T04:00:00.000Z";
const earlier = "2026-11-30T02:00:00.000Z";

function aRestored() {
  const store = openStore(":memory:");
  const about = { imageName: "older", imageDigest: older as ImageDigest, startedAt: takenAt - 1000 };
  for (const [id, endedAt] of [
    ["ended", takenAt - 500],
    ["running", undefined],
  ] as const) {
    const record = { ...about, id: id as RolloutId, request: "{}", cancelled: false, ...(endedAt && { endedAt }) };
    const reimage = queuedReimage({
      ...about,
      id: `${id}-reimage` as ReimageId,
      rolloutId: id as RolloutId,
      nodeId: one as NodeId,
      nodeName: "pi-1",
    });
    store.journal.create({ rollout: record, reimages: [reimage] });
  }
  store.settings.set(restoredKey, JSON.stringify({ takenAt, restoredAt: takenAt + 5000 }));
  const events: NewEvent[] = [];
  const start = () => takeUpRestored({ store, events: { append: (event) => void events.push(event) } });
  return { store, events, start };
}

describe("a state that was restored", () => {
  it("cancels at its first start the rollouts that had not ended, and says so once", () => {
    const { store, events, start } = aRestored();
    start();
    start();
    assert.equal(store.journal.get("running" as RolloutId)?.rollout.cancelled, true);
    assert.equal(store.journal.get("ended" as RolloutId)?.rollout.cancelled, false);
    assert.deepEqual(restoredStateIn(store.settings)?.interrupted, ["running"]);
    assert.equal(events.length, 1);
    assert.match(events[0]?.message ?? "", /backup of 2026-11-30T03:00:00\.000Z.*cancelled: rollout running$/);
  });

  it("does nothing to one that never was", () => {
    const store = openStore(":memory:");
    assert.equal(takeUpRestored({ store, events: { append: () => assert.fail() } }), undefined);
  });

  it("lets stamps count that are newer than it, and no others", () => {
    const supersedes = aRestored().start();
    assert.ok(supersedes);
    const cases = [
      [one, stamp("unknown", later), true],
      [one, stamp("unknown", earlier), false],
      [one, stamp("running-reimage", earlier), true],
      [one, stamp("ended-reimage", earlier), false],
      [two, stamp("running-reimage", earlier), false],
    ] as const;
    for (const [id, installed, counts] of cases)
      assert.equal(supersedes(id as NodeId, installed), counts, JSON.stringify([id, installed]));
  });

  it("takes a node for what its card says, whatever was known of it: running, or stranded in the agent", () => {
    const supersedes = aRestored().start();
    const known = {
      id: one,
      bootTarget: { kind: "local", imageDigest: older },
      installation: { reimageId: "ended-reimage", imageDigest: older },
      proved: { imageName: "older", imageDigest: older, kind: "resident" },
      facts: { root: { disk: "/dev/mmcblk0" } },
    };
    const nodeOf = (agent: object) => ({ ...known, agent }) as unknown as Node;
    const running = nodeOf({ role: "resident", installed: stamp("unknown", later) });
    assert.equal(unclaimedSystemOf(running, supersedes)?.imageDigest, newer);
    assert.equal(unclaimedSystemOf(running), undefined);
    const found = { disk: "/dev/mmcblk0", device: "/dev/mmcblk0p2", installed: stamp("unknown", later) };
    const stranded = nodeOf({ role: "netboot", found: [found] });
    assert.equal(strandedSystemOf(stranded, supersedes)?.installed.reimageId, "unknown");
    assert.equal(strandedSystemOf(stranded), undefined);
    assert.equal(strandedSystemOf(nodeOf({ role: "netboot", found: [found, found] }), supersedes), undefined);
    const asKnown = nodeOf({ role: "resident", installed: stamp("ended-reimage", earlier) });
    assert.equal(unclaimedSystemOf(asKnown, supersedes), undefined);
  });
});
