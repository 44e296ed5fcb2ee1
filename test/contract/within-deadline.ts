import { status } from "@grpc/grpc-js";

/**
 * Takes a call that is to be cut off by its deadline to the moment at which that should find it. The deadline starts
 * with the call, so a busy machine may not get there in time: then it is tried again with three times as much.
 *
 * @param reach gets how long the call may take, in milliseconds
 */
export async function withinDeadline<T>(reach: (deadlineMs: number) => Promise<T>): Promise<T> {
  for (let deadlineMs = 1500; ; deadlineMs *= 3) {
    try {
      return await reach(deadlineMs);
    } catch (error) {
      if ((error as { code?: unknown }).code !== status.DEADLINE_EXCEEDED || deadlineMs > 30_000) throw error;
    }
  }
}
