import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import { AgentError } from "../../../../../controller/agents/agent-error.ts";
import { Refusal } from "../../../../../controller/refusal/refusal.ts";
import { statusOf } from "../../../../../controller/rpc/doors/status.ts";
import { Failure, failureFromWire, failureMetadataKey } from "../../../../../proto/failure.ts";
import { Failure as WireFailure } from "../../../../../proto/gen/pallet/v1/failure.ts";

const full = Object.assign(new Error("write"), { code: "ENOSPC" });
const aborted = new DOMException("stop", "AbortError");

describe("statusOf", () => {
  for (const [name, error, code] of [
    ["a malformed request", new Failure("invalid", "m"), status.INVALID_ARGUMENT],
    ["what does not exist", new Refusal("not-found", "m"), status.NOT_FOUND],
    ["what exists already", new Refusal("already-exists", "m"), status.ALREADY_EXISTS],
    ["a precondition", new Refusal("precondition", "m"), status.FAILED_PRECONDITION],
    ["what does not answer", new Refusal("unavailable", "m"), status.UNAVAILABLE],
    ["what is used up", new Refusal("exhausted", "m"), status.RESOURCE_EXHAUSTED],
    ["a full disk", new Failure("device-error", "m", { cause: full }), status.RESOURCE_EXHAUSTED],
    ["a full disk, as it comes", full, status.RESOURCE_EXHAUSTED],
    ["an unusable image", new Failure("image-damaged", "m"), status.INVALID_ARGUMENT],
    ["a defect", new TypeError("m"), status.INTERNAL],
    ["no error at all", "m", status.INTERNAL],
    ["an abort", aborted, status.CANCELLED],
    ["an agent out of reach", new AgentError("unreachable", new Failure("node-silent", "m"), 0), status.UNAVAILABLE],
    ["an agent that is slow", new AgentError("timed-out", new Failure("node-silent", "m"), 0), status.UNAVAILABLE],
    ["an agent's guard", new AgentError("refused", new Failure("mounted", "m"), 0), status.FAILED_PRECONDITION],
    ["an agent's defect", new AgentError("failed", new Failure("internal", "m"), 0), status.INTERNAL],
  ] as const) {
    it(`answers ${name} with ${status[code]}`, () => assert.equal(statusOf(error).code, code));
  }

  it("carries reason, message and evidence in the trailing metadata, and the cause in the error", () => {
    const range = { device: "/dev/mmcblk0", offsetBytes: 512, lengthBytes: 4096 };
    const failure = new Failure("verify-mismatch", "differs", { range, expected: "a", found: "b" });
    const result = statusOf(failure);
    const [bytes] = result.metadata.get(failureMetadataKey);
    const received = failureFromWire(WireFailure.decode(bytes as Buffer));
    assert.equal(result.details, "differs");
    assert.equal(received.reason, "verify-mismatch");
    assert.deepEqual(received.evidence, failure.evidence);
    assert.equal(result.cause, failure);
  });
});
