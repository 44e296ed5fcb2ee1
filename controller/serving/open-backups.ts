import { type Backups, createBackups } from "../backup/backups.ts";
import { openBackup } from "../backup/open-backup.ts";
import type { State } from "./open-state.ts";
import type { Stage } from "./stage.ts";

/** Backups of this controller, taken while it runs. */
export function openBackups(
  { config, adapters }: Pick<Stage, "config" | "adapters">,
  { store, events, identity, nodes, images }: Pick<State, "store" | "events" | "identity" | "nodes" | "images">,
): Backups {
  const { version, clock, configFile } = adapters;
  const { stateDirectory, imageDirectory, profileDirectory, hooks } = config;
  const sources = {
    ...{ version, clock, stateDirectory, imageDirectory, profileDirectory, configFile, hooks, store },
    authority: () => identity.authority.current().id,
    nodes: () => nodes.list().length,
    images: images.list,
  };
  return createBackups({
    ...{ rows: store.settings, events, clock },
    open: (request, signal) => openBackup(sources, request, signal),
  });
}
