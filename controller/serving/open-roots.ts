import { dirname } from "node:path";
import { createRootLedger, type RootLedger } from "../nodes/root-ledger.ts";
import { createRootKeeper, type RootKeeper } from "../roots/root-keeper.ts";
import { rootOfMountSource } from "../roots/root-paths.ts";
import type { State } from "./open-state.ts";
import type { Stage } from "./stage.ts";

/** What is known of the versions of the root filesystem, and what becomes of them. */
export interface Roots {
  readonly ledger: RootLedger;
  readonly keeper: RootKeeper;
}

/** How often to look for versions that nobody uses any more, in milliseconds. */
const collectEveryMs = 5 * 60_000;

/** Opens the versions of the root filesystem that this machine exports, and removes those that nobody uses any more. */
export function openRoots(
  { config, adapters, running }: Stage,
  { store, nodes }: Pick<State, "store" | "nodes">,
): Roots {
  const { clock, log } = adapters;
  const { mode, rootfs } = config.nfs;
  const ledger = createRootLedger({
    rows: store.settings,
    nodes,
    // An older configuration names root/ in the store.
    rootOf: (source) =>
      rootfs === undefined
        ? undefined
        : (rootOfMountSource(rootfs, source) ?? rootOfMountSource(dirname(rootfs), source)),
    clock: adapters.monotonicClock,
    log,
  });
  running.defer(() => ledger.close());
  const { removeRoots, monotonicClock: monotonic } = adapters;
  const keeper = createRootKeeper({ rootfs, users: ledger.users, removeRoots, clock, monotonic });
  const closed = new AbortController();
  let collecting: Promise<void> = Promise.resolve();
  const collect = async (): Promise<void> => {
    const removed = await keeper.collect();
    if (removed.length > 0) log.info({ removed }, "removed root filesystems that no node uses any more");
  };
  const collectAgain = (): void => {
    const run = (): void => {
      collecting = collect()
        .catch((error: unknown) => log.error({ err: error }, "could not remove root filesystems that no node uses"))
        .finally(collectAgain);
    };
    clock.setTimeout(run, collectEveryMs, closed.signal);
  };
  // Who exports it under a path of his own, without this controller, knows best who uses what.
  if (mode !== "none") collectAgain();
  running.defer(async () => {
    closed.abort();
    await collecting;
  });
  return { ledger, keeper };
}
