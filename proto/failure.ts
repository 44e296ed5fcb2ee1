import { countFromWire } from "./count.ts";
import { cutText } from "./cut-text.ts";
import { Failure as WireFailure, FailureReason as WireReason } from "./gen/pallet/v1/failure.ts";
import { limits } from "./limits.ts";

/** Trailing gRPC metadata key under which a serialized pallet.v1.Failure travels with a non-OK status. */
export const failureMetadataKey = "pallet-failure-bin";

const wireReasons = {
  internal: WireReason.FAILURE_REASON_INTERNAL,
  cancelled: WireReason.FAILURE_REASON_CANCELLED,
  "not-a-disk": WireReason.FAILURE_REASON_NOT_A_DISK,
  "holds-running-root": WireReason.FAILURE_REASON_HOLDS_RUNNING_ROOT,
  mounted: WireReason.FAILURE_REASON_MOUNTED,
  "in-use": WireReason.FAILURE_REASON_IN_USE,
  "read-only": WireReason.FAILURE_REASON_READ_ONLY,
  "too-small": WireReason.FAILURE_REASON_TOO_SMALL,
  "device-busy": WireReason.FAILURE_REASON_DEVICE_BUSY,
  "no-disk-chosen": WireReason.FAILURE_REASON_NO_DISK_CHOSEN,
  "fetch-failed": WireReason.FAILURE_REASON_FETCH_FAILED,
  "image-damaged": WireReason.FAILURE_REASON_IMAGE_DAMAGED,
  "device-error": WireReason.FAILURE_REASON_DEVICE_ERROR,
  "verify-mismatch": WireReason.FAILURE_REASON_VERIFY_MISMATCH,
  "tool-failed": WireReason.FAILURE_REASON_TOOL_FAILED,
  "node-silent": WireReason.FAILURE_REASON_NODE_SILENT,
  "wrong-system": WireReason.FAILURE_REASON_WRONG_SYSTEM,
  invalid: WireReason.FAILURE_REASON_INVALID,
  unsupported: WireReason.FAILURE_REASON_UNSUPPORTED,
  "other-agent": WireReason.FAILURE_REASON_OTHER_AGENT,
  "not-permitted": WireReason.FAILURE_REASON_NOT_PERMITTED,
  "token-refused": WireReason.FAILURE_REASON_TOKEN_REFUSED,
  protected: WireReason.FAILURE_REASON_PROTECTED,
  "hook-failed": WireReason.FAILURE_REASON_HOOK_FAILED,
} as const;

/** Machine-readable reason of a failure; one for each value of pallet.v1.FailureReason. */
export type FailureReason = keyof typeof wireReasons;

/** Where the evidence lies: bytes of one device. */
export interface ByteRange {
  readonly device: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Evidence for a failure that is about something measurable. */
export interface Evidence {
  readonly range?: ByteRange;
  readonly expected?: string;
  readonly found?: string;
}

/**
 * The one error class for what users may meet: a reason for programs, a message for people that names the thing and
 * the remedy, evidence for both, and the error that caused it.
 */
export class Failure extends Error {
  readonly reason: FailureReason;
  readonly evidence: Evidence;

  constructor(reason: FailureReason, message: string, options: Evidence & { readonly cause?: unknown } = {}) {
    const { cause, ...evidence } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.name = "Failure";
    this.reason = reason;
    this.evidence = evidence;
  }

  /** The same failure if it is one already, otherwise an `internal` one that keeps the error as its cause. */
  static from(error: unknown): Failure {
    if (error instanceof Failure) return error;
    return new Failure("internal", messageOf(error), { cause: error });
  }
}

/** What a thrown value says, for a sentence. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Converts to the message that travels. */
export function failureToWire(failure: Failure): WireFailure {
  const { range, expected, found } = failure.evidence;
  return WireFailure.fromPartial({
    reason: wireReasons[failure.reason],
    message: failure.message,
    ...(range && {
      range: {
        device: range.device,
        offsetBytes: BigInt(range.offsetBytes),
        lengthBytes: BigInt(range.lengthBytes),
      },
    }),
    expected: expected ?? "",
    found: found ?? "",
  });
}

/**
 * Converts from the message that travelled; a reason that this program does not know becomes `internal`. Texts are cut at
 * `messageCharacters`, those of the evidence at their own limit.
 */
export function failureFromWire(
  wire: WireFailure,
  messageCharacters: number = limits.failures.messageCharacters.most,
): Failure {
  const known = Object.entries(wireReasons).find(([, value]) => value === wire.reason);
  const evidence = (text: string): string => cutText(text, limits.agents.evidenceCharacters.most);
  return new Failure(
    (known?.[0] as FailureReason | undefined) ?? "internal",
    cutText(wire.message, messageCharacters),
    {
      ...(wire.range && {
        range: {
          device: evidence(wire.range.device),
          offsetBytes: countFromWire(wire.range.offsetBytes),
          lengthBytes: countFromWire(wire.range.lengthBytes),
        },
      }),
      ...(wire.expected !== "" && { expected: evidence(wire.expected) }),
      ...(wire.found !== "" && { found: evidence(wire.found) }),
    },
  );
}
