import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { every } from "../../proto/time/every.ts";
import { createGraceClock } from "../clock/grace-clock.ts";
import type { Timekeeper } from "../clock/timekeeper.ts";
import { createEventLog, type EventLog } from "../events/event-log.ts";
import { promisedValues } from "../hooks/promised-values.ts";
import { type ControllerIdentity, openIdentity } from "../identity/open-identity.ts";
import { type CaptureRequest, captureDisk } from "../images/capture/capture-disk.ts";
import type { ImageDeriver } from "../images/derive/image-deriver.ts";
import type { ImageStore } from "../images/image-store.ts";
import { createNodeLogs, type NodeLogs } from "../logs/node-logs.ts";
import { createKeptAcceptRules, type KeptAcceptRules } from "../nodes/kept-accept-rules.ts";
import { createNodeRegistry, type NodeRegistry } from "../nodes/node-registry.ts";
import type { ProfileFolder } from "../profiles/profile-folder.ts";
import type { Store } from "../store/open-store.ts";
import { databaseIn } from "../store/replace-state.ts";
import { keepState, type StateKeeper } from "./keep-state.ts";
import type { Stage } from "./stage.ts";

/** What the controller remembers. */
export interface State {
  readonly store: Store;
  readonly timekeeper: Timekeeper;
  readonly keeper: StateKeeper;
  readonly events: EventLog;
  readonly nodes: NodeRegistry;
  readonly acceptRules: KeptAcceptRules;
  readonly nodeLogs: NodeLogs;
  readonly identity: ControllerIdentity;
  readonly images: ImageStore;
  readonly deriver: ImageDeriver;
  readonly profiles: ProfileFolder;
  readonly captureDisk: (request: CaptureRequest) => ReturnType<typeof captureDisk>;
}

/** How often at least is looked whether the clock was set, in milliseconds. */
const lookEveryMs = 60_000;

/** Opens the state directory and the images, and makes the folders that do not exist. */
export async function openState({ config, adapters, running }: Stage): Promise<State> {
  const { clock, monotonicClock: monotonic, moment, log, macAddressOf } = adapters;
  const { stateDirectory, imageDirectory, bootTree, heartbeatIntervalMs } = config;
  for (const directory of [stateDirectory, imageDirectory, bootTree]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
  const store = adapters.openStore(databaseIn(stateDirectory));
  running.defer(() => store.close());
  // Before anything is noted in it.
  const timekeeper = await adapters.keepTime({
    directory: stateDirectory,
    newestEventAt: () => store.events.read({ afterId: 0, count: 1, prefer: "newest" })[0]?.at,
  });
  running.defer(() => timekeeper.stop());
  const events = createEventLog({ rows: store.events, clock, monotonic });
  const keeper = keepState({ store, events, clock: monotonic, log });
  running.defer(async () => keeper.stop());
  const acceptRules = createKeptAcceptRules({ rows: store.settings, configured: config.accept, log });
  const nodes = createNodeRegistry({
    ...{ rows: store.nodes, events, clock, monotonic, moment, heartbeatIntervalMs, log, macAddressOf, acceptRules },
  });
  running.defer(() => nodes.close());
  // What the configuration names since the last start may wait already.
  nodes.acceptNamed();
  const nodeLogs = createNodeLogs({ rows: store.nodeLogs, nodes, clock, monotonic, log });
  const grace = createGraceClock(clock, moment);
  // Its hour begins when the clock was set, and not when somebody asks.
  const closed = new AbortController();
  running.defer(async () => closed.abort());
  every(clock, lookEveryMs, grace.now, closed.signal);
  const identity = await openIdentity({
    folder: join(stateDirectory, "identity"),
    ...{ rows: store.identity, events, clock, grace },
    nodeOf(id) {
      const node = nodes.get(id);
      return node && { name: node.name, ...(node.agent && { role: node.agent.role }) };
    },
  });
  const images = await adapters.openImages({ directory: imageDirectory, log });
  const deriver = adapters.imageDeriver({ images, directory: imageDirectory });
  const profiles = adapters.openProfiles(config.profileDirectory, identity.configKey, (node) =>
    promisedValues(config.hooks, node),
  );
  return {
    ...{ store, timekeeper, keeper, events, nodes, acceptRules, nodeLogs, identity, images, deriver, profiles },
    captureDisk: (request) => captureDisk(request, { images, directory: imageDirectory }),
  };
}
