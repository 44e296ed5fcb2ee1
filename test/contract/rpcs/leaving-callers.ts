// Callers that go away while they are being served.
import assert from "node:assert/strict";
import { type ClientReadableStream, status } from "@grpc/grpc-js";
import { until } from "../../until.ts";
import { endOf, endsWith, firstOf } from "../calls.ts";
import type { Tools } from "./tools.ts";
import { isAlive } from "./world.ts";

/** Makes a call that runs lsblk on the node, leaves it once lsblk runs, in the way told, and sees lsblk end. */
export async function leavesDuringLsblk(
  tools: Tools,
  how: "cancel" | "deadline",
  call: (options: { readonly signal?: AbortSignal; readonly deadlineMs?: number }) => Promise<unknown>,
): Promise<void> {
  const lsblk = await tools.hold("lsblk");
  try {
    const abort = new AbortController();
    const ended = endsWith(
      call(how === "cancel" ? { signal: abort.signal } : { deadlineMs: 1500 }),
      how === "cancel" ? status.CANCELLED : status.DEADLINE_EXCEEDED,
    );
    const pid = await lsblk.started();
    abort.abort();
    await ended;
    await until(() => !isAlive(pid), "lsblk still runs for a caller that has gone");
  } finally {
    await lsblk.release();
  }
}

/** So many callers open the stream at once; each takes its first message and cancels. */
export async function manyLeave(count: number, open: () => ClientReadableStream<unknown>): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async () => {
      const stream = open();
      const end = endOf(stream);
      await firstOf(stream);
      stream.cancel();
      assert.equal(await end, status.CANCELLED);
    }),
  );
}
