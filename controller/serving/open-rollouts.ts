import type { AgentConnector } from "../agents/agent-port.ts";
import { lookAtCards } from "../agents/look-at-cards.ts";
import { seekAgents } from "../agents/seek-agents.ts";
import { sendHome } from "../agents/send-home.ts";
import { createHooks } from "../hooks/hooks.ts";
import { believeStamps } from "../nodes/believe-stamps.ts";
import { createRollouts, type Rollouts } from "../reimage/rollouts.ts";
import type { TrafficMeter } from "../uplink/traffic-meter.ts";
import { createUplink, type Uplink } from "../uplink/uplink.ts";
import type { State } from "./open-state.ts";
import type { Stage } from "./stage.ts";
import { takeUpRestored } from "./take-up-restored.ts";

/** The uplink, from its interface's speed and what `meter` sees. */
export function composeUplink({ config, adapters }: Stage, meter: TrafficMeter): Uplink {
  return createUplink({
    limits: config.limits,
    meter,
    clock: adapters.monotonicClock,
    linkSpeed() {
      const own = [config.advertise, config.listen];
      const found = adapters.interfaceAddresses().find(({ address }) => own.includes(address));
      return found && adapters.linkSpeed(found.interface);
    },
  });
}

/**
 * Takes up the rollouts that the journal holds. To be done before the first call can come in: no rollout may start on a
 * node whose reimage the journal still knows.
 */
export function openRollouts(
  { config, adapters, endpoints, running }: Stage,
  { nodes, images, events, store, profiles }: State,
  { agents, uplink }: { readonly agents: AgentConnector; readonly uplink: Uplink },
): Rollouts {
  const { clock, moment, log, monotonicClock, probeNode, runHook } = adapters;
  const hooks = createHooks({ hooks: config.hooks, rows: store.hooks, runHook, events, monotonicClock, log });
  running.defer(() => hooks.close());
  const rollouts = createRollouts({
    ...{ nodes, images, events, profiles, agents, probeNode, hooks, uplink, clock, log, moment },
    packUrls({ pack }) {
      const base = config.insecure ? `http://${endpoints.reached("http")}` : `https://${endpoints.reached("https")}`;
      const url = `${base}/images/${pack.manifestDigest}`;
      return { pack: `${url}.zst`, manifest: `${url}.manifest` };
    },
    controllers: () => endpoints.controllers(),
    protectedDisks: config.disks.protected,
    cardFirmware: config.bootProfile.cardFirmware,
    loader: config.bootProfile.loader,
    journal: store.journal,
    settings: config.reimage,
  });
  running.defer(() => rollouts.close());
  const supersedes = takeUpRestored({ store, events });
  rollouts.resume();
  hooks.resume();
  const { activeRolloutOf } = rollouts;
  const stopLooking = lookAtCards({ nodes, images, agents, events, activeRolloutOf, log });
  running.defer(async () => stopLooking());
  const stopBelieving = believeStamps({ nodes, images, events, activeRolloutOf, supersedes, log });
  running.defer(async () => stopBelieving());
  const stopSending = sendHome({ nodes, images, agents, activeRolloutOf, supersedes, log });
  running.defer(async () => stopSending());
  return rollouts;
}

/** Seeks the agents that were known before this start. To be done once they can register here. */
export function openSearch(
  { config, adapters, endpoints, running }: Stage,
  { nodes }: State,
  { agents, rollouts }: { readonly agents: AgentConnector; readonly rollouts: Rollouts },
): void {
  const announcer = adapters.announcer();
  running.defer(async () => announcer.close());
  const stop = seekAgents({
    ...{ nodes, agents, announce: announcer.announce, clock: adapters.monotonicClock, log: adapters.log },
    controllers: endpoints.controllers,
    isAwaited: (id) => rollouts.activeRolloutOf(id) !== undefined,
    heartbeatIntervalMs: config.heartbeatIntervalMs,
  });
  running.defer(async () => stop());
}
