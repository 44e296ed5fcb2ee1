import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NewEvent } from "../../../../controller/events/event.ts";
import { createNodeRegistry, type NodeRegistry } from "../../../../controller/nodes/node-registry.ts";
import { openStore } from "../../../../controller/store/open-store.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";

const id = "b8:27:eb:00:00:01" as NodeId;
const imageDigest = "d".repeat(64) as ImageDigest;

/** A node that gets its boot config once a minute and is never heard. */
function looping(prepare: (nodes: NodeRegistry) => void): { target: string; events: readonly NewEvent[] } {
  const clock = createManualClock();
  const events: NewEvent[] = [];
  const store = openStore(":memory:");
  const nodes = createNodeRegistry({
    rows: store.nodes,
    events: { append: (event) => events.push(event) },
    clock,
    heartbeatIntervalMs: 10_000,
    log: { error() {} },
  });
  nodes.discover(id, "10.0.0.7");
  prepare(nodes);
  for (let boot = 0; boot < 6; boot++) {
    const { kind } = nodes.get(id)?.bootTarget ?? { kind: "agent" };
    nodes.bootPlanned(id, { label: kind, kernel: "vmlinuz" });
    nodes.recordFetch({ address: "10.0.0.7", mac: id, path: "pxelinux.cfg/01", outcome: "served", bytes: 1 });
    nodes.recordFetch({ address: "10.0.0.7", path: "vmlinuz", outcome: "served", bytes: 1 });
    clock.advance(60_000);
  }
  const target = nodes.get(id)?.bootTarget.kind ?? "";
  nodes.close();
  store.close();
  return { target, events };
}

describe("a node that restarts again and again, with boot target local", () => {
  it("goes back to the agent where nothing but somebody's word says that it has a system", () => {
    const { target, events } = looping((nodes) => nodes.setBootTarget(id, { kind: "local", imageDigest }));
    assert.equal(target, "agent");
    const kept = events.filter(({ type }) => type === "node-kept-in-agent");
    assert.equal(kept.length, 1);
    assert.match(kept[0]?.message ?? "", /restarts again and again, and nothing says.*controller reimage node-000001/);
  });

  it("keeps its target where it has proved the image, or a reimage has written it", () => {
    const proved = looping((nodes) => {
      nodes.setBootTarget(id, { kind: "local", imageDigest });
      nodes.setProved(id, { imageName: "debian", imageDigest, kind: "weak" });
    });
    assert.equal(proved.target, "local");
    const written = looping((nodes) => {
      nodes.voidProof(id, { imageDigest, reimageId: "r", resident: false });
      nodes.setBootTarget(id, { kind: "local", imageDigest });
    });
    assert.equal(written.target, "local");
  });
});
