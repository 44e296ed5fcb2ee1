import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import { toServiceError } from "../../../../agent/rpc/status.ts";
import { statusOf } from "../../../../controller/rpc/doors/status.ts";
import { Failure, type FailureReason } from "../../../../proto/failure.ts";
import { statusOfReason } from "../../../../proto/grpc/status-of-reason.ts";

/** Where the controller's own answer differs from that of the agent's door. */
const controllers: Partial<Record<FailureReason, status>> = {
  "device-busy": status.FAILED_PRECONDITION,
  "image-damaged": status.INVALID_ARGUMENT,
  unsupported: status.INVALID_ARGUMENT,
  "verify-mismatch": status.INTERNAL,
};

describe("the status of a failure", () => {
  for (const [reason, code] of Object.entries(statusOfReason) as [FailureReason, status][]) {
    const ofController = controllers[reason] ?? code;
    it(`for the reason ${reason} is ${status[code]} from an agent, ${status[ofController]} from the controller`, () => {
      assert.equal(toServiceError(new Failure(reason, "m")).code, code);
      assert.equal(statusOf(new Failure(reason, "m")).code, ofController);
    });
  }
});
