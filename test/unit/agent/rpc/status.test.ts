import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import { StatusError, toServiceError } from "../../../../agent/rpc/status.ts";
import { Failure, failureFromWire, failureMetadataKey } from "../../../../proto/failure.ts";
import { Failure as WireFailure } from "../../../../proto/gen/pallet/v1/failure.ts";

function attached(error: unknown): Failure {
  const [bytes] = toServiceError(error).metadata.get(failureMetadataKey);
  assert.ok(Buffer.isBuffer(bytes));
  return failureFromWire(WireFailure.decode(bytes));
}

describe("toServiceError", () => {
  it("gives the documented status and attaches the failure with its evidence", () => {
    const range = { device: "/dev/sda", offsetBytes: 4096, lengthBytes: 512 };
    const failure = new Failure("mounted", "it is mounted", { range, expected: "a", found: "b" });
    const { code, details } = toServiceError(failure);
    assert.deepEqual([code, details], [status.FAILED_PRECONDITION, "it is mounted"]);
    const travelled = attached(failure);
    assert.deepEqual(
      [travelled.reason, travelled.message, travelled.evidence],
      ["mounted", "it is mounted", { range, expected: "a", found: "b" }],
    );
  });

  it("lets a status of its own win over the reason", () => {
    const error = new StatusError(status.NOT_FOUND, new Failure("invalid", "no such operation"));
    assert.equal(toServiceError(error).code, status.NOT_FOUND);
    assert.equal(attached(error).reason, "invalid");
  });

  it("makes everything unforeseen internal, with its words and its cause", () => {
    const defect = new TypeError("x is not a function");
    const answer = toServiceError(defect);
    assert.deepEqual([answer.code, answer.details, answer.cause], [status.INTERNAL, "x is not a function", defect]);
    assert.equal(attached(defect).reason, "internal");
    assert.equal(toServiceError("a string").details, "a string");
  });
});
