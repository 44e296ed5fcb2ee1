import { status } from "@grpc/grpc-js";
import type { FailureReason } from "../failure.ts";

/**
 * The gRPC status by which a failure of each reason leaves a door, as documented in pallet/v1/agent.proto. Where the
 * controller's answer to its own caller differs, it says so beside its door.
 */
export const statusOfReason: Readonly<Record<FailureReason, status>> = {
  internal: status.INTERNAL,
  cancelled: status.CANCELLED,
  "not-a-disk": status.FAILED_PRECONDITION,
  "holds-running-root": status.FAILED_PRECONDITION,
  mounted: status.FAILED_PRECONDITION,
  "in-use": status.FAILED_PRECONDITION,
  "read-only": status.FAILED_PRECONDITION,
  "too-small": status.FAILED_PRECONDITION,
  "device-busy": status.RESOURCE_EXHAUSTED,
  "no-disk-chosen": status.FAILED_PRECONDITION,
  "fetch-failed": status.UNAVAILABLE,
  "image-damaged": status.DATA_LOSS,
  "device-error": status.INTERNAL,
  "verify-mismatch": status.DATA_LOSS,
  "tool-failed": status.INTERNAL,
  "node-silent": status.UNAVAILABLE,
  "wrong-system": status.FAILED_PRECONDITION,
  invalid: status.INVALID_ARGUMENT,
  unsupported: status.FAILED_PRECONDITION,
  "other-agent": status.FAILED_PRECONDITION,
  "not-permitted": status.PERMISSION_DENIED,
  "token-refused": status.PERMISSION_DENIED,
  protected: status.FAILED_PRECONDITION,
  "hook-failed": status.INTERNAL,
};
