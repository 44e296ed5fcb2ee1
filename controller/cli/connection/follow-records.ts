import type { CommandContext } from "./command-context.ts";
import type { ControllerClient } from "./controller-client.ts";
import { followSteadily } from "./follow-steadily.ts";

/** Records that the controller keeps in their order, and who wants which of them. */
export interface FollowedRecords<Message, KeptRecord> {
  /** Opens the stream with the records behind `afterId`, the last `limit` of them; 0 is all. Called again after each loss. */
  readonly open: (
    client: ControllerClient,
    part: { readonly afterId: bigint; readonly limit: number },
  ) => AsyncIterable<Message>;
  /** The record that a message brings. */
  readonly recordOf: (message: Message) => KeptRecord | undefined;
  /** Whether to go on with those to come. */
  readonly follow: boolean;
  /** How many of the last ones to begin with; 0 is all. */
  readonly limit: number;
  /** Said when there was none. */
  readonly absence: string;
}

/**
 * Yields the records, each once and without a gap, also when the connection is lost meanwhile; the person who looks on
 * is told of each loss once.
 *
 * @throws as followSteadily does
 */
export async function* followRecords<Message, KeptRecord extends { readonly id: bigint }>(
  { connect, signal, effects, hint }: Pick<CommandContext, "connect" | "signal" | "effects" | "hint">,
  { open, recordOf, follow, limit, absence }: FollowedRecords<Message, KeptRecord>,
): AsyncGenerator<KeptRecord> {
  let afterId = 0n;
  let isLost = false;
  const messages = followSteadily({
    connect,
    // After a lost connection: what comes after the last record, without a limit, so that none is missed.
    open: (client) => open(client, { afterId, limit: afterId > 0n ? 0 : limit }),
    isComplete: () => !follow,
    isKnown: false,
    signal,
    clock: effects.clock,
    onLost: () => {
      if (!isLost) hint(["the controller does not answer; trying again"]);
      isLost = true;
    },
    onBack: () => {
      isLost = false;
    },
  });
  let isEmpty = true;
  for await (const message of messages) {
    const record = recordOf(message);
    if (record === undefined) continue;
    isEmpty = false;
    afterId = record.id;
    yield record;
  }
  if (isEmpty) hint([absence]);
}
