import { AsyncLocalStorage } from "node:async_hooks";
import type { Author } from "./caller.ts";

const itself: Author = { by: { kind: "controller" } };
const store = new AsyncLocalStorage<Author>();

/**
 * Does the work in somebody's name: what it records is his, also after it has waited. A door does so for each call. What
 * outlives the call, such as a rollout, has to be done in the controller's own name.
 */
export function actFor<Result>(author: Author, work: () => Result): Result {
  return store.run(author, work);
}

/** Does the work in the controller's own name, whoever has caused it. */
export function actForItself<Result>(work: () => Result): Result {
  return store.run(itself, work);
}

/** In whose name the running code acts: the controller's, unless a door said otherwise. */
export function authorNow(): Author {
  return store.getStore() ?? itself;
}
