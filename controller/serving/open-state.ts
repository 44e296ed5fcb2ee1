import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createEventLog, type EventLog } from "../events/event-log.ts";
import type { ImageDeriver } from "../images/derive/image-deriver.ts";
import type { ImageStore } from "../images/image-store.ts";
import { createNodeLogs, type NodeLogs } from "../logs/node-logs.ts";
import { createNodeRegistry, type NodeRegistry } from "../nodes/node-registry.ts";
import type { Store } from "../store/open-store.ts";
import { keepState, type StateKeeper } from "./keep-state.ts";
import type { Stage } from "./stage.ts";

/** What the controller remembers. */
export interface State {
  readonly store: Store;
  readonly keeper: StateKeeper;
  readonly events: EventLog;
  readonly nodes: NodeRegistry;
  readonly nodeLogs: NodeLogs;
  readonly images: ImageStore;
  readonly deriver: ImageDeriver;
}

/** Opens the state directory and the images, and makes the folders that do not exist. */
export async function openState({ config, adapters, running }: Stage): Promise<State> {
  const { clock, log, macAddressOf } = adapters;
  const { stateDirectory, imageDirectory, bootTree, heartbeatIntervalMs } = config;
  for (const directory of [stateDirectory, imageDirectory, bootTree]) {
    await mkdir(directory, { recursive: true, mode: 0o750 });
  }
  const store = adapters.openStore(join(stateDirectory, "pallet.sqlite"));
  running.defer(() => store.close());
  const events = createEventLog({ rows: store.events, clock });
  const keeper = keepState({ store, events, clock, log });
  running.defer(async () => keeper.stop());
  const nodes = createNodeRegistry({ rows: store.nodes, events, clock, heartbeatIntervalMs, log, macAddressOf });
  running.defer(() => nodes.close());
  const nodeLogs = createNodeLogs({ rows: store.nodeLogs, nodes, clock, log });
  const images = await adapters.openImages({ directory: imageDirectory, log });
  const deriver = adapters.imageDeriver({ images, directory: imageDirectory });
  return { store, keeper, events, nodes, nodeLogs, images, deriver };
}
