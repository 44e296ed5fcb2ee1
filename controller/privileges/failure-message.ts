import { z } from "zod";
import { Failure, type FailureReason } from "../../proto/failure.ts";
import { NotYet } from "../refusal/not-yet.ts";
import { Refusal, type RefusalKind } from "../refusal/refusal.ts";

/** A failure as the broker says it. */
export interface FailureMessage {
  readonly failure: {
    readonly reason: string;
    readonly message: string;
    readonly kind?: string;
    readonly isNotYet?: true;
    readonly expected?: string;
    readonly found?: string;
  };
}

const schema = z.object({
  failure: z.object({
    reason: z.string(),
    message: z.string(),
    kind: z.string().exactOptional(),
    isNotYet: z.literal(true).exactOptional(),
    expected: z.string().exactOptional(),
    found: z.string().exactOptional(),
  }),
});

/** What the controller is told of an error. */
export function renderFailureMessage(error: unknown): FailureMessage {
  const failure = Failure.from(error);
  const { expected, found } = failure.evidence;
  return {
    failure: {
      reason: failure.reason,
      message: failure.message,
      ...(failure instanceof Refusal && { kind: failure.kind }),
      ...(failure instanceof NotYet && { isNotYet: true }),
      ...(expected !== undefined && { expected }),
      ...(found !== undefined && { found }),
    },
  };
}

/** The failure that the broker says; undefined for another message. */
export function parseFailureMessage(value: unknown): Failure | undefined {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return undefined;
  const { reason, message, kind, isNotYet, ...evidence } = parsed.data.failure;
  if (isNotYet) return new NotYet(message);
  // Both sides are one program.
  const known = { reason: reason as FailureReason, ...evidence };
  return kind === undefined
    ? new Failure(known.reason, message, evidence)
    : new Refusal(kind as RefusalKind, message, known);
}
