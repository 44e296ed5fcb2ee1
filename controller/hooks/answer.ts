import { limits } from "../../proto/limits.ts";

/** An answer that is read whole, or not at all. */
export interface Answer {
  add(bytes: Uint8Array): void;
  isTooLong(): boolean;
  /** Undefined when it was too long. */
  text(): string | undefined;
}

/** Completes the name of who gave it. */
export const answerTooLong = `answered with more than ${limits.hooks.answerBytes.most} bytes`;

/** Keeps what is added, and no more of it than an answer may have. */
export function createAnswer(): Answer {
  let kept: Uint8Array[] = [];
  let length = 0;
  const isTooLong = (): boolean => length > limits.hooks.answerBytes.most;
  return {
    add(bytes) {
      length += bytes.length;
      if (isTooLong()) kept = [];
      else kept.push(bytes);
    },
    isTooLong,
    text: () => (isTooLong() ? undefined : Buffer.concat(kept).toString("utf8")),
  };
}
