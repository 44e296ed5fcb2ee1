import { type Endpoint, renderEndpoint } from "../../proto/names/endpoint.ts";
import { maxControllers } from "../../proto/system/resident-settings.ts";

/** Where the controller may be: one controller under several addresses, or one that has moved. */
export interface ControllerList {
  /** In the order in which they are tried. */
  all(): readonly Endpoint[];
  /** The one to talk to now; undefined when there is none. */
  current(): Endpoint | undefined;
  /** The current one has answered: it stays the current one, and the round of trying is over. */
  answered(): void;
  /**
   * The current one has failed: the next one is the current one, after the last the first. Whether it has not failed yet
   * in this round: then it is worth trying at once.
   */
  failed(): boolean;
  /**
   * A controller says that it lives at these, and they are tried first. What was known stays behind them, because until
   * an agent has registered there, nothing says that it is true.
   */
  learn(moved: readonly Endpoint[]): void;
  /** The controller that has just answered says under which addresses it is reached: these, and no others. */
  replace(told: readonly Endpoint[]): void;
}

/**
 * The order of trying: as the list is, from its first entry on, each once, then a pause, and again. The one that
 * answers stays the current one until it fails. Pure but for its own memory.
 */
export function createControllerList(endpoints: readonly Endpoint[]): ControllerList {
  let list = unique(endpoints);
  let at = 0;
  let failures = 0;
  const current = (): Endpoint | undefined => list[at];
  return {
    all: () => list,
    current,
    answered() {
      failures = 0;
    },
    failed() {
      failures += 1;
      at = list.length === 0 ? 0 : (at + 1) % list.length;
      if (failures < list.length) return true;
      failures = 0;
      return false;
    },
    learn(moved) {
      const next = unique([...moved, ...list]);
      // Said again of a controller that has answered there since.
      if (moved.length === 0 || sameEndpoints(next, list)) return;
      list = next;
      at = 0;
      failures = 0;
    },
    replace(told) {
      const talkingTo = current();
      if (told.length === 0 || talkingTo === undefined) return;
      const all = unique(told);
      const found = all.findIndex((each) => renderEndpoint(each) === renderEndpoint(talkingTo));
      // The one that answers is true, whatever the controller calls itself (a forwarded port).
      list = found === -1 ? unique([...all.slice(0, maxControllers - 1), talkingTo]) : all;
      at = found === -1 ? list.length - 1 : found;
    },
  };
}

/** Whether two lists name the same addresses in the same order. */
export function sameEndpoints(one: readonly Endpoint[], other: readonly Endpoint[]): boolean {
  return one.map(renderEndpoint).join() === other.map(renderEndpoint).join();
}

function unique(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const texts = endpoints.map(renderEndpoint);
  return endpoints.filter((_, index) => texts.indexOf(texts[index] ?? "") === index).slice(0, maxControllers);
}
