import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Failure } from "../../../../proto/failure.ts";
import * as wire from "../../../../proto/gen/pallet/v1/operation.ts";
import type { OperationId, ReportedOperation } from "../../../../proto/operation/operation.ts";
import { operationFromWire, operationToWire } from "../../../../proto/operation/operation-codec.ts";
import { noProgress, type OperationPhase, type Progress, writeStages } from "../../../../proto/operation/progress.ts";
import { progressFromWire, progressToWire, stageFromWire } from "../../../../proto/operation/progress-codec.ts";

const number = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const ms = fc.nat({ max: 10 ** 12 });
const count = fc.record({ done: number, total: number });
const phases = [
  "starting",
  "erasing",
  "comparing",
  "writing",
  "syncing",
  "verifying",
  "customising",
  "writing-table",
  "formatting",
  "wiping",
  "unmounting",
  "identifying",
] as const satisfies readonly OperationPhase[];

const progresses: fc.Arbitrary<Progress> = fc
  .record({
    phase: fc.constantFrom(...phases),
    read: count,
    written: count,
    skipped: count,
    verified: count,
    bytesPerSecond: number,
    etaMs: fc.option(ms, { nil: undefined }),
    resumed: fc.nat(),
    stages: fc.array(fc.record({ stage: fc.constantFrom(...writeStages), bytes: number, busyMs: ms })),
    stalledMs: fc.option(ms, { nil: undefined }),
    rewrittenBytes: number,
    compared: count,
  })
  .map(({ etaMs, stalledMs, ...rest }) => ({
    ...rest,
    ...(etaMs !== undefined && { etaMs }),
    ...(stalledMs !== undefined && { stalledMs }),
  }));

const operations: fc.Arbitrary<ReportedOperation> = fc
  .record({
    id: fc.constant("w-1" as OperationId),
    state: fc.constantFrom("running", "succeeded", "cancelled"),
    progress: progresses,
    startedAt: ms,
    endedAt: fc.option(ms, { nil: undefined }),
  })
  .map(({ endedAt, ...rest }) => ({
    ...rest,
    spec: { kind: "wipe", device: "/dev/mmcblk0", method: "discard" },
    ...(endedAt !== undefined && { endedAt }),
  }));

const throughWire = (progress: Progress): wire.Progress =>
  wire.Progress.decode(wire.Progress.encode(progressToWire(progress)).finish());

describe("progress", () => {
  it("is read as it was sent", () => {
    fc.assert(
      fc.property(progresses, (sent) => {
        assert.deepEqual(progressFromWire(throughWire(sent)), structuredClone(sent));
      }),
    );
  });

  it("of a peer that counts nothing of it is nothing", () => {
    assert.deepEqual(progressFromWire(wire.Progress.create()), noProgress);
    assert.deepEqual(progressFromWire(throughWire(noProgress)), noProgress);
  });

  it("keeps what it knows of a newer peer's words", () => {
    const newer = {
      ...throughWire({ ...noProgress, stages: [{ stage: "fetch", bytes: 3, busyMs: 4 }] }),
      phase: 99 as wire.OperationPhase,
    };
    newer.stages.unshift({ stage: 99 as wire.WriteStage, bytes: 1n, busy: undefined });
    const read = progressFromWire(newer);
    assert.equal(read.phase, "starting");
    assert.deepEqual(read.stages, [{ stage: "fetch", bytes: 3, busyMs: 4 }]);
    assert.deepEqual(newer.stages.map(stageFromWire)[0], { stage: undefined, bytes: 1, busyMs: 0 });
  });
});

describe("an operation", () => {
  it("is read as it was sent", () => {
    fc.assert(
      fc.property(operations, (sent) => {
        const travelled = wire.Operation.decode(wire.Operation.encode(operationToWire(sent)).finish());
        assert.deepEqual(operationFromWire(travelled), structuredClone(sent));
      }),
    );
  });

  it("is told without what the new system is to be, and with its public host keys", () => {
    const source = { url: "http://a/b", storedBytes: 1, sizeBytes: 1024, firstPartitionBytes: 512 };
    const manifest = { url: "http://a/c", digest: "cd".repeat(32), manifestBytes: 1 };
    const customisation = { resident: true, system: { users: [{ name: "anna", passwordHash: "$6$hunter2" }] } };
    const spec = { kind: "write-image", device: "/dev/sda", full: false, customisation };
    const sent = {
      ...{ id: "o1", state: "succeeded", startedAt: 0, endedAt: 1, progress: noProgress },
      spec: { ...spec, source: { ...source, digest: "ab".repeat(32), manifest } },
      writeResult: { ids: [], hostKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDxE", "no key\n@cert-authority *"] },
    } as unknown as ReportedOperation;
    const bytes = wire.Operation.encode(operationToWire(sent)).finish();
    assert.ok(!Buffer.from(bytes).includes("hunter2"));
    const read = operationFromWire(wire.Operation.decode(bytes));
    assert.deepEqual(read.writeResult, { ids: [], hostKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDxE"] });
    assert.ok(read.spec?.kind === "write-image");
    assert.deepEqual(read.spec.customisation, { resident: true });
  });

  it("brings its failure, and has one when it failed without words", () => {
    const base = { id: "a" as OperationId, progress: noProgress, startedAt: 1, endedAt: 2 } as const;
    const failure = new Failure("mounted", "it is mounted", { found: "/mnt" });
    const read = operationFromWire(operationToWire({ ...base, state: "failed", failure }));
    assert.deepEqual([read.failure?.reason, read.failure?.evidence], ["mounted", { found: "/mnt" }]);
    assert.match(String(operationFromWire(operationToWire({ ...base, state: "failed" })).failure), /gave no reason/);
  });

  it("of a newer agent has the most harmless state that is known, and no spec for work that is not", () => {
    const newer = wire.Operation.fromPartial({ state: 99, spec: { work: undefined } } as never);
    assert.equal(operationFromWire(newer).state, "running");
    assert.equal(operationFromWire({ ...newer, endedAt: new Date(1) }).state, "failed");
    assert.equal("spec" in operationFromWire(newer), false);
  });
});
