import type { CommandContext } from "./command-context.ts";
import type { ControllerClient } from "./controller-client.ts";
import { followSteadily } from "./follow-steadily.ts";

/** Which of the controller's ordered records to read, and how. */
export interface FollowedRecords<Message, KeptRecord> {
  /**
   * Opens the stream with the records after `afterId`, at most the last `limit`; 0 is all. Called again after each
   * loss.
   */
  readonly open: (
    client: ControllerClient,
    part: { readonly afterId: bigint; readonly limit: number },
  ) => AsyncIterable<Message>;
  /** The record in a message. */
  readonly recordOf: (message: Message) => KeptRecord | undefined;
  /** Whether to continue with new records. */
  readonly follow: boolean;
  /** How many of the latest records to begin with; 0 is all. */
  readonly limit: number;
  /** Printed if there was none. */
  readonly absence: string;
}

/**
 * Yields the records, each once and without a gap, even if the connection is lost in between; each loss is reported
 * once to the person watching.
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
    // After a lost connection: everything after the last record, without a limit, so that none is missed.
    open: (client) => open(client, { afterId, limit: afterId > 0n ? 0 : limit }),
    isComplete: () => !follow,
    isKnown: false,
    signal,
    clock: effects.monotonicClock,
    onLost: () => {
      if (!isLost) hint(["the controller is not answering; retrying"]);
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
