import type { StartRolloutRequest } from "../../../proto/gen/pallet/v1/controller.ts";
import { type BackoffPolicy, backoffBoundMs } from "../../../proto/time/backoff.ts";
import { pause } from "../../../proto/time/pause.ts";
import type { CommandContext } from "../connection/command-context.ts";
import { ControllerError } from "../connection/controller-error.ts";

const attempts = 6;
const pauses: BackoffPolicy = { firstMs: 250, capMs: 8_000 };

/**
 * Starts a rollout, and retries if the answer is lost: the id in the request makes sure that nothing starts twice.
 *
 * @throws ControllerError for a refusal, or if the controller stays away
 */
export async function startRollout(context: CommandContext, request: StartRolloutRequest): Promise<void> {
  const { connect, effects, signal } = context;
  for (let attempt = 1; ; attempt += 1) {
    const client = connect();
    try {
      await client.startRollout(request, signal);
      return;
    } catch (error) {
      const isLost = error instanceof ControllerError && error.isConnectionLost;
      if (!isLost || attempt === attempts) throw error;
    } finally {
      client.close();
    }
    await pause(effects.clock, backoffBoundMs(pauses, attempt), signal);
  }
}
