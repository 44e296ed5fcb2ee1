import type { OperationContext } from "../operations/executor.ts";
import type { ImageSource } from "../operations/operation.ts";
import { type FetchSettings, fetchRange } from "./fetch-range.ts";

/**
 * Runs a task on the stored bytes of an image as they are fetched. When the task ends early, so does the fetch, even
 * where it waits for a silent server.
 */
export async function withFetched<Result>(
  source: ImageSource,
  settings: FetchSettings,
  { signal, progress, log }: OperationContext,
  task: (fetched: AsyncIterable<Buffer>) => Promise<Result>,
): Promise<Result> {
  const ended = new AbortController();
  const fetched = fetchRange({
    url: source.url,
    totalBytes: source.storedBytes,
    settings,
    signal: AbortSignal.any([signal, ended.signal]),
    onBytes: (bytes) => progress.add("read", bytes),
    onResume: (atByte, error) => {
      log.warn({ err: error, atByte }, "a broken connection was taken up again");
      progress.resumed();
    },
  });
  try {
    return await task(fetched);
  } finally {
    ended.abort();
  }
}
