import { randomUUID } from "node:crypto";
import { Failure } from "../../proto/failure.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import { shortDigest } from "../../proto/pack/digest.ts";
import type { AgentPort } from "../agents/agent-port.ts";
import { withAgentOf } from "../agents/reach-agent.ts";
import { kernelPathOn } from "../boot/kernel-path.ts";
import type { Image } from "../images/catalogue/image.ts";
import type { Node } from "../nodes/node.ts";
import type { NodeChange } from "../nodes/node-change.ts";
import type { ConfigSummary, NodeSystem } from "../profiles/node-system.ts";
import { alreadyExists, precondition } from "../refusal/refusal.ts";
import { type ActiveRollout, createActiveRollout } from "./active-rollout.ts";
import { createAftermath } from "./aftermath.ts";
import {
  assertAsConfirmed,
  confirmedOn,
  describeNothing,
  isUnchanged,
  onlyConfirmed,
  seenIn,
} from "./confirm-start.ts";
import type { World } from "./executors/executor.ts";
import { recordEvent } from "./executors/record-event.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import { beforeReimage } from "./machine/before.ts";
import { hasEnded, queuedReimage } from "./machine/reimage-state.ts";
import type { ReimageSettings } from "./machine/settings.ts";
import { occurrenceOf } from "./machine/sighting.ts";
import { assertNoReimage } from "./plan/being-reimaged.ts";
import { cardFitOf } from "./plan/describe-card-growth.ts";
import { judgeClashes } from "./plan/judge-clashes.ts";
import { type NodeBeforeReimage, planReimage } from "./plan/plan-rollout.ts";
import type { Reimage, ReimageId, Rollout, RolloutId, RolloutPlan, RolloutRequest } from "./plan/rollout.ts";
import { newRolloutId } from "./plan/rollout-id.ts";
import { canonicalRequest, resolveConfirmedImage, resolveNodes } from "./resolve-request.ts";
import { noSuchRollout, resolveFailed, resolveSameImage, understand } from "./resolve-retry.ts";
import { viewRollout } from "./rollout-view.ts";
import { type CancelSummary, summariseCancel } from "./summarise-cancel.ts";
import { watchRollout } from "./watch-rollout.ts";
import { createWriteTurns } from "./write-turns.ts";

/** Reimages of many nodes: what operators ask for. */
export interface Rollouts {
  /** What a rollout would do, exactly, without doing it. Throws as `start` does. */
  plan(request: RolloutRequest, signal?: AbortSignal): Promise<RolloutPlan>;
  /**
   * Starts a rollout and returns at once. With the id and request of one that exists already it changes nothing and
   * returns that one. Throws a Failure (invalid) or a Refusal (not-found, already-exists; precondition when one of the
   * nodes is being reimaged).
   */
  start(request: RolloutRequest & { readonly id?: RolloutId }): Promise<Rollout>;
  /** Newest first. */
  list(): readonly Rollout[];
  /**
   * The rollout now and after changes, at most every `watchIntervalMs`, until it has ended; its end is always given.
   * Throws a Refusal (not-found) at the first step.
   */
  watch(id: RolloutId, signal: AbortSignal): AsyncIterable<Rollout>;
  /** Has everything that has not ended end as cancelled. Throws a Refusal (not-found). */
  cancel(id: RolloutId): { readonly rollout: Rollout; readonly summary: CancelSummary };
  /** The latest reimage of the node, with its rollout. */
  lastReimageOf(id: NodeId): { readonly rollout: Rollout; readonly reimage: Reimage } | undefined;
  /** How many nodes write or are about to, and how many are ready and wait for their turn to. */
  writers(): { readonly writing: number; readonly waiting: number };
  /** The rollout that is at work on the node. */
  activeRolloutOf(id: NodeId): RolloutId | undefined;
  /** Resumes the journal's unfinished rollouts. Call once, before nodes can reach the controller. */
  resume(): void;
  /** Drops everything without ending it: the journal has the state. */
  close(): void;
}

/** What the profiles of a node say; a Failure if they cannot be rendered for it. */
type SystemOf = (node: Node) => Promise<NodeSystem | Failure | undefined>;

/** What is journaled of what a node's profiles say. */
function configIn(
  systems: ReadonlyMap<NodeId, NodeSystem | undefined>,
  id: NodeId,
): { readonly config?: ConfigSummary } {
  const system = systems.get(id);
  return system === undefined ? {} : { config: system.summary };
}

/** The same, with why nodes may not be reimaged together in place of what the profiles say. */
function withClashes(seen: readonly NodeBeforeReimage[]): readonly NodeBeforeReimage[] {
  const clashes = judgeClashes(seen);
  return seen.map((before) => {
    const clash = clashes.get(before.node.id);
    return clash === undefined ? before : { ...before, system: clash };
  });
}

/** Builds the rollouts over the journal. Listens to node changes from the start. */
export function createRollouts(
  options: World & { readonly journal: Journal; readonly settings: ReimageSettings },
): Rollouts {
  const { journal, settings, ...world } = options;
  const { nodes, images, agents, clock } = world;
  const active = new Map<RolloutId, ActiveRollout>();
  const aftermath = createAftermath({ world, journal, settings });
  const stopListening = nodes.onChange(passOn);
  const allActors = () => [...active.values()].flatMap((rollout) => [...rollout.actors.values()]);
  const turns = createWriteTurns({
    actors: allActors,
    nodes,
    uplink: world.uplink,
    clock,
    onReason() {
      for (const rollout of active.values()) rollout.refresh();
    },
  });

  function passOn(change: NodeChange): void {
    const occurrence = occurrenceOf(change);
    if (occurrence === undefined) return;
    const { id } = change.node;
    // What a reimage that is at work does with the node is none of those that have ended.
    const atWork = activeRolloutOf(id);
    if (atWork !== undefined) {
      active.get(atWork)?.actors.get(id)?.tell(occurrence);
      return;
    }
    for (const rollout of active.values()) rollout.actors.get(id)?.tell(occurrence);
    aftermath.tell(id, occurrence);
  }

  function activate(entry: JournalEntry): ActiveRollout {
    const rollout = createActiveRollout({
      ...{ entry, world, journal, settings, onProgress },
      waitingFor: turns.waitingFor,
    });
    active.set(entry.rollout.id, rollout);
    return rollout;
  }

  function onProgress(rollout: ActiveRollout): void {
    const { id, endedAt } = rollout.view();
    if (endedAt !== undefined && active.delete(id)) aftermath.keep(rollout.actors.values());
    startQueued();
    turns.reconsider();
  }

  /** Gives turns to as many reimages as may run at once, longest waiting first. */
  function startQueued(): void {
    const actors = allActors();
    const queued = actors.filter((actor) => actor.state().phase.name === "queued");
    const atWork = actors.filter((actor) => actor.state().phase.name !== "queued" && !hasEnded(actor.state().phase));
    for (const actor of queued.slice(0, Math.max(0, settings.maxConcurrent - atWork.length))) {
      const node = nodes.get(actor.state().nodeId);
      actor.tell({
        type: "started",
        ...(node && {
          before: beforeReimage(node, nodes.isOnline(node)),
          hooked: world.hooks.concern("before-reimage", node),
        }),
      });
    }
  }

  function activeRolloutOf(id: NodeId): RolloutId | undefined {
    for (const [rolloutId, rollout] of active) if (rollout.isAtWorkOn(id)) return rolloutId;
    return undefined;
  }

  function viewOf(id: RolloutId): Rollout | undefined {
    const alive = active.get(id);
    if (alive !== undefined) return alive.view();
    const entry = journal.get(id);
    return entry && viewRollout(entry.rollout, entry.reimages);
  }

  function existing(id: RolloutId): Rollout {
    const view = viewOf(id);
    if (view !== undefined) return view;
    throw noSuchRollout(id);
  }

  function repeated(id: RolloutId, request: string): Rollout | undefined {
    const entry = journal.get(id);
    if (entry === undefined) return undefined;
    if (entry.rollout.request === request) return existing(id);
    throw alreadyExists(`a different rollout "${id}" already exists; choose another id`);
  }

  /** What profiles say of nodes: once read, the same for all of them. */
  async function readSystems(request: RolloutRequest, image: Image): Promise<SystemOf> {
    const profiles = request.noProfiles === true ? undefined : await world.profiles?.read();
    return async (node) => profiles?.systemFor(node, image.name);
  }

  /** What the profiles of the nodes say that are to be reimaged; throws a Failure that tells of all for which they cannot be rendered. */
  async function rendered(
    systemOf: SystemOf,
    targets: readonly Node[],
  ): Promise<(readonly [NodeId, NodeSystem | undefined])[]> {
    const found = await Promise.all(targets.map(async (node) => [node.id, await systemOf(node)] as const));
    const failures = found.flatMap(([, system]) => (system instanceof Failure ? [system.message] : []));
    if (failures.length > 0) throw new Failure("invalid", failures.join("\n"));
    return found.map(([id, system]) => [id, system instanceof Failure ? undefined : system]);
  }

  async function inspect(node: Node, signal: AbortSignal | undefined): Promise<NodeBeforeReimage> {
    const busyWith = activeRolloutOf(node.id);
    const online = nodes.isOnline(node);
    const before = { node, online, ...(busyWith !== undefined && { busyWith }) };
    if (!online) return before;
    const ask = (agent: AgentPort) => agent.listBlockDevices(signal);
    const devices = withAgentOf(node, agents, ask, { signal });
    return { ...before, devices: await devices.catch((error: unknown) => Failure.from(error)) };
  }

  function targetsOf(request: RolloutRequest, entry: JournalEntry | undefined): readonly Node[] {
    return entry === undefined ? resolveNodes(request, nodes) : resolveFailed(entry, request.nodes, nodes);
  }

  function imageOf(request: RolloutRequest, entry: JournalEntry | undefined): Promise<Image> {
    return entry === undefined ? resolveConfirmedImage(request, images) : resolveSameImage(entry, request, images);
  }

  function create(
    id: RolloutId,
    request: RolloutRequest,
    targets: readonly Node[],
    { image, systems }: { readonly image: Image; readonly systems: ReadonlyMap<NodeId, NodeSystem | undefined> },
  ): Rollout {
    const startedAt = clock.now();
    const { name: imageName, digest: imageDigest } = image;
    const about = { imageName, imageDigest, startedAt, began: world.moment() };
    const card = cardFitOf(request);
    const { retryOf } = request;
    const seen = confirmedOn(request);
    const record = {
      ...{ ...about, id, request: canonicalRequest(request), cancelled: false },
      ...(retryOf !== undefined && { retryOf }),
    };
    const reimages = targets.map((node) =>
      queuedReimage({
        ...about,
        id: randomUUID() as string as ReimageId,
        rolloutId: id,
        nodeId: node.id,
        nodeName: node.name,
        ...(request.disk !== undefined && { requestedDisk: request.disk }),
        ...(request.noResident && {
          noResident: { kernelPath: kernelPathOn(node.facts?.model, image, world.loader) },
        }),
        ...(request.full && { full: true }),
        ...(card && { card }),
        ...configIn(systems, node.id),
        ...seenIn(seen, node.id),
      }),
    );
    journal.create({ rollout: record, reimages });
    const names = targets.map((node) => node.name).join(", ");
    const again = retryOf === undefined ? "" : `, again after rollout ${retryOf}`;
    const message = `rollout ${id} of ${imageName} (${shortDigest(imageDigest)}) to ${names}${again}`;
    activate({ rollout: record, reimages });
    recordEvent(world, { type: "rollout-started", severity: "info", rolloutId: id, message });
    startQueued();
    return existing(id);
  }

  return {
    async plan(given, signal) {
      const { request, entry } = understand(given, journal);
      const targets = targetsOf(request, entry);
      const image = await imageOf(request, entry);
      const systemOf = await readSystems(request, image);
      const seen = await Promise.all(
        targets.map(async (node) => {
          const [before, system] = await Promise.all([inspect(node, signal), systemOf(node)]);
          return { ...before, ...(system !== undefined && { system }) };
        }),
      );
      signal?.throwIfAborted();
      return {
        image,
        plans: withClashes(seen).map((before) =>
          planReimage(before, image, request, world.cardFirmware, world.loader, world.protectedDisks),
        ),
      };
    },

    async start({ id: chosen, ...given }) {
      const id = chosen ?? newRolloutId(clock.now());
      const { request, entry } = understand(given, journal);
      const canonical = canonicalRequest(request);
      const before = repeated(id, canonical);
      if (before !== undefined) return before;
      const image = await imageOf(request, entry);
      const systemOf = await readSystems(request, image);
      const systems = new Map<NodeId, NodeSystem | undefined>();
      const unrendered = () =>
        onlyConfirmed(targetsOf(request, entry), request).filter((node) => !systems.has(node.id));
      const render = async (): Promise<void> => {
        for (const [nodeId, system] of await rendered(systemOf, unrendered())) systems.set(nodeId, system);
      };
      await render();
      if (request.seen !== undefined) {
        const planned = onlyConfirmed(targetsOf(request, entry), request);
        // What a rollout is at work on looks changed, and that is not why it may not be touched.
        for (const node of planned) assertNoReimage(node, activeRolloutOf);
        const now = await Promise.all(planned.map((node) => inspect(node, undefined)));
        const asRendered = now.map((before) => {
          const system = systems.get(before.node.id);
          return { ...before, ...(system && { system }) };
        });
        assertAsConfirmed(asRendered, image, request, world.protectedDisks);
      }
      // "all" may mean more nodes by now.
      while (unrendered().length > 0) await render();
      // From here on nothing is waited for: no other start can come between the checks and the journal.
      const meanwhile = repeated(id, canonical);
      if (meanwhile !== undefined) return meanwhile;
      const wanted = onlyConfirmed(targetsOf(request, entry), request);
      const targets = wanted.filter((node) => !isUnchanged(node, image, request, systems.get(node.id)));
      if (targets.length === 0) throw precondition(describeNothing(request, wanted.length));
      for (const node of targets) assertNoReimage(node, activeRolloutOf);
      const [clash] = judgeClashes(wanted.map((node) => ({ node, system: systems.get(node.id) }))).values();
      if (clash !== undefined) throw clash;
      return create(id, request, targets, { image, systems });
    },

    list: () => journal.list().map(({ rollout, reimages }) => viewOf(rollout.id) ?? viewRollout(rollout, reimages)),

    watch(id, signal) {
      return watchRollout({
        id,
        signal,
        clock,
        intervalMs: settings.watchIntervalMs,
        active: active.get(id),
        view: existing,
      });
    },

    cancel(id) {
      const done = active.get(id)?.cancel();
      if (done !== undefined) return { rollout: existing(id), summary: done };
      const rollout = existing(id);
      const { reimages } = journal.get(id) ?? { reimages: [] };
      return { rollout, summary: summariseCancel(reimages, reimages) };
    },

    lastReimageOf(id) {
      for (const { rollout: record, reimages } of journal.list()) {
        if (!reimages.some(({ nodeId }) => nodeId === id)) continue;
        const rollout = existing(record.id);
        const reimage = rollout.reimages.find(({ nodeId }) => nodeId === id);
        return reimage && { rollout, reimage };
      }
      return undefined;
    },

    writers: turns.count,

    activeRolloutOf,

    resume() {
      // All are known before the first acts: a node has one reimage at most, and the queue is one.
      for (const entry of [...journal.unended()].reverse()) activate(entry);
      for (const rollout of [...active.values()]) rollout.resume();
      aftermath.resume(journal.list());
      startQueued();
    },

    close() {
      stopListening();
      turns.close();
      for (const rollout of active.values()) rollout.stop();
      aftermath.stop();
    },
  };
}
