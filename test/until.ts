import { setTimeout as delay } from "node:timers/promises";

/** How long and how often to look. */
export interface Patience {
  /** What should be so at once on an idle machine may take this long on a busy one. */
  readonly withinMs?: number;
  /** Longer where a look costs something. */
  readonly everyMs?: number;
}

/**
 * Resolves once the condition holds. Throws when it does not come to hold; `otherwise` says what is the matter then:
 * "the import left something behind".
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  otherwise: string | (() => string),
  { withinMs = 20_000, everyMs = 10 }: Patience = {},
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`not within ${withinMs} ms: ${typeof otherwise === "string" ? otherwise : otherwise()}`);
    await delay(everyMs);
  }
}
