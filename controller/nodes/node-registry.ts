import { sortedByName } from "../../proto/names/natural-order.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import { type RootIds, sameRootIds } from "../../proto/node/root-ids.ts";
import { shortDigest } from "../../proto/pack/digest.ts";
import type { BootMoment } from "../../proto/time/boot-moment.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { every } from "../../proto/time/every.ts";
import { actForItself } from "../callers/author.ts";
import { createClockReader, momentOf } from "../clock/read-clock.ts";
import type { EventType, NewEvent } from "../events/event.ts";
import { alreadyExists, invalid, isUnavailable, notFound } from "../refusal/refusal.ts";
import { createAddressBook } from "./address-book.ts";
import { afterClockSet } from "./after-clock-set.ts";
import { type BootFetch, printablePath } from "./boot-fetch.ts";
import { createBootRuns } from "./boot-runs.ts";
import { createBootWatch, type PlannedBoot } from "./boot-watch.ts";
import { type AcceptRule, describeAcceptRule } from "./choose-accept-rule.ts";
import { whyBackToAgent } from "./choose-boot-target.ts";
import { describeRootChange, installationAfter } from "./choose-installation.ts";
import { isExpectedMiss } from "./choose-miss-meaning.ts";
import { describeBoots } from "./describe-boots.ts";
import { describeKernelChange } from "./describe-kernel-change.ts";
import { describeTasks } from "./describe-tasks.ts";
import { findBoard, findNode, noSuchNode, requireNode } from "./find-node.ts";
import { type GivenBack, givenBack, givenBackAside, recipientOf } from "./give-back.ts";
import {
  acceptBoard,
  type BoardVerdict,
  describeReplacement,
  hasSetAside,
  judgeBoard,
  serialOf,
} from "./judge-board.ts";
import { gaveUp } from "./judge-boots.ts";
import {
  installationAfterFailedLoad,
  installationAfterLoad,
  installationAfterSign,
  installationToBoot,
} from "./judge-local-boots.ts";
import type { KeptAcceptRules } from "./kept-accept-rules.ts";
import { changedLabels, type LabelChanges, renderLabels } from "./label.ts";
import { createLiveness } from "./liveness.ts";
import type { BootTarget, Installation, Node } from "./node.ts";
import type { NodeChangeCause, NodeChangeListener } from "./node-change.ts";
import { controllerName, defaultNodeName, problemOfNodeName } from "./node-name.ts";
import { createNodeTable, type NodeRows } from "./node-table.ts";
import type { NodeTrouble } from "./node-trouble.ts";
import { parseBoardPath } from "./parse-board-path.ts";
import { createRefusals } from "./refusals.ts";
import { assertOwnMac, describeAgent, type Heartbeat, type Registration } from "./registration.ts";
import { type BootRequest, createRequestLog } from "./request-log.ts";
import type { RefusedRegistration } from "./select-refused-nodes.ts";
import { createStrangers } from "./strangers.ts";

/** Every node that this controller knows. The only place that changes them; it returns snapshots. */
export interface NodeRegistry {
  /** By name, digits by their value. */
  list(): Node[];
  get(id: NodeId): Node | undefined;
  /**
   * By name, MAC address in any usual notation, or serial number. Throws a Failure when two nodes have that serial
   * number.
   */
  find(nameOrMacOrSerial: string): Node | undefined;
  /** As `find`; throws a Refusal when there is none. */
  require(nameOrMacOrSerial: string): Node;
  /** Whether its agent has reported within the last three heartbeats. */
  isOnline(node: Node): boolean;
  /**
   * The node with this MAC address, recorded now if it was never seen: not accepted, boot target agent. Undefined when it
   * was not, because there are too many: see `Strangers`.
   */
  discover(id: NodeId, address: string): Node | undefined;
  /** Notes what the config that is being rendered for the node tells it to load. */
  bootPlanned(id: NodeId, boot: PlannedBoot): void;
  /** Notes that a boot file was asked for. */
  recordFetch(fetch: BootFetch): void;
  /** The boot files that it asked for lately, oldest first. */
  requestsOf(id: NodeId): readonly BootRequest[];
  /** Notes that a known node got an address by DHCP; of others nothing is kept. */
  recordLease(id: NodeId, address: string): void;
  /**
   * Throws a Failure if the MAC address is not one of the node's own, and a Refusal (exhausted) if the node is new and
   * there are too many: see `Strangers`.
   */
  register(registration: Registration): Node;
  /** Notes that a registration was refused, for whatever reason. Makes no node. */
  recordRefusal(refused: RefusedRegistration): void;
  /** What keeps the node from being heard, the worst first. */
  troublesOf(node: Node): readonly NodeTrouble[];
  /** Throws a Refusal (not-found) when this instance of the agent has not registered here. */
  heartbeat(heartbeat: Heartbeat): Node;
  /** The node on which this instance of an agent runs. Throws a Refusal (not-found) when it has not registered here. */
  requireAgent(id: NodeId, instanceId: string): Node;
  /** Throws when the name is malformed or taken. */
  rename(id: NodeId, name: string): Node;
  accept(id: NodeId): Node;
  /** Accepts those that are known, and that a rule names by now. */
  acceptNamed(): Node[];
  /** Sets and removes labels, which are well-formed. */
  label(id: NodeId, changes: LabelChanges): Node;
  forget(id: NodeId): void;
  setBootTarget(id: NodeId, target: BootTarget): Node;
  setProved(id: NodeId, proved: NonNullable<Node["proved"]>): Node;
  /** Takes a node of which nothing else is known for what its system on `disk` says: proved, and boot target local. */
  restore(id: NodeId, proved: NonNullable<Node["proved"]>, disk: string): Node;
  /** Takes a node of which nothing else is known for what the stamp on its `disk` says: boot target local, unproved. */
  adopt(id: NodeId, installation: Installation, imageName: string, disk: string): Node;
  /** Drops what the node has proved: its disk is about to be erased, for this. */
  voidProof(id: NodeId, next: Pick<Installation, "imageDigest" | "reimageId" | "resident" | "config">): Node;
  /**
   * Gives a node back what it was before a reimage that did not touch its card: the boot target, and the proof and the
   * installation if that reimage had voided them. In one save. Of a board that was set aside meanwhile, its own words.
   */
  giveBack(id: NodeId, reimageId: string, given: GivenBack): Node;
  /** Drops what the node has proved: the disk of its system was erased by hand. */
  systemErased(id: NodeId): Node;
  /** Keeps by which ids the root that this reimage wrote is found on the node's card. */
  setRoot(id: NodeId, reimageId: string, root: RootIds): Node;
  /** Keeps the public host keys that this reimage gave to the system that it wrote. */
  setHostKeys(id: NodeId, reimageId: string, hostKeys: readonly string[]): Node;
  /** Somebody has looked at the card for which the node was sent into the agent. */
  lookTaken(id: NodeId): Node;
  /** Returns a function that ends it. */
  onChange(listener: NodeChangeListener): () => void;
  /** Stops watching for silence and writes what is not on disk yet. */
  close(): void;
}

/** How late frequent small changes (last seen, temperature, boot stage) may reach the disk, in milliseconds. */
const flushAfterMs = 5000;

/** Builds the registry over what `rows` remembers. Listeners that throw are reported to `log`. */
export function createNodeRegistry(options: {
  readonly rows: NodeRows;
  readonly events: { append(event: NewEvent): unknown };
  readonly clock: Clock;
  /** By it silence and rates are counted, whatever `clock` is set to; default: that is never set. */
  readonly monotonic?: Pick<Clock, "now">;
  /** This moment by the clock of the machine's boot: what shows that `clock` was set; default: it is not. */
  readonly moment?: () => BootMoment;
  readonly heartbeatIntervalMs: number;
  readonly log: { error(details: object, message: string): void };
  /** The MAC address of a machine on the local network that has just sent something; default: nobody knows. */
  readonly macAddressOf?: (address: string) => Promise<NodeId | undefined>;
  /** By which nodes are accepted when their agents register; default: none. */
  readonly acceptRules?: Pick<KeptAcceptRules, "use" | "naming">;
}): NodeRegistry {
  const { rows, events, heartbeatIntervalMs, log, macAddressOf = async () => undefined, acceptRules } = options;
  const { monotonic = options.clock, moment = () => ({ bootId: "", ms: options.clock.now() }) } = options;
  const nodes = createNodeTable(rows);
  const readClock = createClockReader(options.clock, moment);
  let startedAt = options.clock.now();
  /** To be asked before a node is read that its answer goes into: where the clock was set, what is known moves along. */
  const clock = { now: moveAlong };
  const liveness = createLiveness(nodes.all(), { clock, monotonic }, heartbeatIntervalMs);
  const runs = createBootRuns({
    nodes,
    append: (event) => events.append(event),
    ...{ clock, monotonic },
    onLoop(id) {
      const why = whyBackToAgent(existing(id));
      if (why === undefined) return;
      actForItself(() => tell(changeTarget(id, { kind: "agent" }), "node-kept-in-agent", why, "error"));
    },
  });
  const refusals = createRefusals({ append: (event) => events.append(event), clock, monotonic });
  const boots = createBootWatch({
    append: (event) => events.append(event),
    clock: monotonic,
    async whoHas(address) {
      const mac = await macAddressOf(address);
      const node = mac && nodes.get(mac);
      return mac && { mac, ...(node !== undefined && { node }) };
    },
    broken: (id) => runs.note(id, { kind: "broken" }),
    loaded(id, boot) {
      runs.note(id, { kind: "loaded" });
      const at = clock.now();
      const node = nodes.get(id);
      const installation = node && installationAfterLoad(node, boot, at);
      if (node === undefined || installation === undefined || installation === node.installation) return;
      // At once: after a restart of the controller the words for the first boot must not come again.
      saveSoon({ ...node, installation });
    },
    log,
  });
  const strangers = createStrangers({
    nodes,
    isOnline: liveness.isOnline,
    forget(node) {
      try {
        remove(node);
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        return false;
      }
      announce(node, "forgotten");
      return true;
    },
    append: (event) => events.append(event),
    ...{ clock, monotonic },
  });
  const addresses = createAddressBook();
  const requests = createRequestLog();
  const listeners = new Set<NodeChangeListener>();
  let flushedAt = monotonic.now();

  for (const { address, id, lastSeenAt } of nodes.all()) {
    if (address !== undefined) addresses.note(address, id, momentOf(lastSeenAt, clock, monotonic));
  }

  function moveAlong(): number {
    const { at, setByMs } = readClock();
    if (setByMs === 0) return at;
    for (const node of nodes.all()) {
      const moved = afterClockSet(node, setByMs, startedAt);
      if (moved !== node) nodes.saveLater(moved);
    }
    startedAt += setByMs;
    return at;
  }

  /** At once, or as soon as the disk takes it: for what a node told us and would tell us again. */
  function saveSoon(node: Node): Node {
    try {
      return nodes.save(node);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      return nodes.saveLater(node);
    }
  }

  function tell(node: Node, type: EventType, message: string, severity: NewEvent["severity"] = "info"): void {
    events.append({ type, severity, nodeId: node.id, nodeName: node.name, message });
  }

  function announce(node: Node, cause: NodeChangeCause): void {
    for (const listener of [...listeners]) {
      try {
        // Who made the change has not decided what follows from it.
        actForItself(() => listener({ node, cause }));
      } catch (error) {
        log.error({ err: error, node: node.name, cause }, "a listener for node changes failed");
      }
    }
  }

  function flush(): void {
    nodes.flush();
    flushedAt = monotonic.now();
  }

  function existing(id: NodeId): Node {
    const node = nodes.get(id);
    if (node === undefined) throw noSuchNode(id);
    return node;
  }

  function requireAgent(id: NodeId, instanceId: string): Node & Required<Pick<Node, "agent" | "facts">> {
    const node = nodes.get(id);
    if (node?.agent === undefined || node.facts === undefined || node.agent.instanceId !== instanceId) {
      throw notFound(`this agent instance on ${id} is unknown here; register again`);
    }
    return { ...node, agent: node.agent, facts: node.facts };
  }

  function find(text: string): Node | undefined {
    return findNode(nodes.all(), text);
  }

  /** That of a board that was set aside is taken, too: it may come back. */
  function newNameFor(id: NodeId): string {
    return defaultNodeName(id, (name) => nodes.all().some((other) => other.name === name || hasSetAside(other, name)));
  }

  function changeTarget(id: NodeId, target: BootTarget): Node {
    const before = existing(id);
    if (sameTarget(before.bootTarget, target)) return before;
    const { installation } = before;
    const isThere = target.kind === "local" && installation !== undefined;
    const node = nodes.save({
      ...before,
      bootTarget: target,
      ...(isThere && { installation: installationToBoot(installation, target.imageDigest) }),
    });
    tell(node, "boot-target-changed", `the next boot of ${node.name} goes to ${describeTarget(target)}`);
    announce(node, "boot-target-changed");
    return node;
  }

  function tellBoard(before: Node, node: Node, verdict: BoardVerdict): void {
    if (verdict === "same") return;
    const message =
      verdict === "own-again"
        ? `${node.name} is the board with the serial number ${serialOf(node)} again; what was known of it holds again`
        : (describeReplacement(node) ??
          `${node.name} is another board than before: its serial number was ${serialOf(before)}, and is ${serialOf(node)}`);
    tell(node, "board-changed", message, verdict === "another" ? "warning" : "info");
  }

  function record(id: NodeId, address: string | undefined, how: string): Node {
    const at = clock.now();
    if (address !== undefined) addresses.note(address, id, monotonic.now());
    const node = saveSoon({
      id,
      name: newNameFor(id),
      accepted: false,
      bootTarget: { kind: "agent" },
      lastSeenAt: at,
      discoveredAt: at,
      ...(address !== undefined && { address }),
    });
    tell(node, "node-discovered", `discovered ${node.name} (${id}) ${how}${address ? ` from ${address}` : ""}`);
    announce(node, "discovered");
    return node;
  }

  function acceptBy(pending: Node, rule: AcceptRule): Node {
    const node = saveSoon({ ...pending, accepted: true });
    tell(node, "node-accepted-by-rule", `${node.name} was accepted by ${describeAcceptRule(rule)}`);
    announce(node, "accepted");
    return node;
  }

  function remove(node: Node): void {
    const { id } = node;
    nodes.remove(id);
    addresses.forget(id);
    boots.forget(id);
    refusals.end(id);
    requests.forget(id);
    liveness.notExpected(id);
  }

  /**
   * Whether a request for a boot file shows that the node's agent has ended. It does where the agent itself would be
   * asking, or is not heard any more. From elsewhere anyone may ask: the next heartbeats will tell.
   */
  function showsBoot(node: Node, { address }: BootFetch): boolean {
    return node.address === address || !liveness.isOnline(node);
  }

  /** A node that is booting: its previous agent has ended, and has not gone silent. */
  function booting({ agentSeenAt: _, ...node }: Node): Node {
    liveness.notExpected(node.id);
    return node;
  }

  function watchForSilence(): void {
    for (const node of liveness.newlySilent(nodes.get)) {
      // Its boot loader may have got another address than its agent.
      if (node.bootStage !== undefined && node.bootStage.at > (node.agentSeenAt ?? 0)) {
        nodes.saveLater(booting(node));
        continue;
      }
      const forSeconds = liveness.silentAfterMs / 1000;
      tell(node, "node-went-silent", `${node.name} has not been heard from for ${forSeconds} s`, "warning");
      announce(node, "went-silent");
    }
  }

  /** Whose fetch it was, as far as can be known. */
  function fetcherOf(fetch: BootFetch): Node | undefined {
    const named = fetch.mac ?? findBoard(nodes.all(), parseBoardPath(fetch.path).board);
    const id = named ?? addresses.ownerOf(fetch.address, monotonic.now());
    return id && nodes.get(id);
  }

  const closed = new AbortController();
  const watch = (): void => {
    try {
      moveAlong();
      watchForSilence();
      runs.waited();
      strangers.waited();
      if (monotonic.now() - flushedAt >= flushAfterMs) flush();
    } catch (error) {
      // Most likely a full disk. What is not saved yet is tried again.
      log.error({ err: error }, "could not save the state of nodes");
    }
  };
  // Twice per heartbeat, so that silence is reported at most half a heartbeat late.
  every(options.clock, heartbeatIntervalMs / 2, watch, closed.signal);

  /** As they are known by the time that it is now: who compares its own times with theirs has moved those along. */
  const asOfNow = {
    all(): Node[] {
      moveAlong();
      return nodes.all();
    },
    get(id: NodeId): Node | undefined {
      moveAlong();
      return nodes.get(id);
    },
  };

  return {
    list: () => sortedByName(asOfNow.all()),
    get: asOfNow.get,
    find: (text) => findNode(asOfNow.all(), text),
    require: (text) => requireNode(asOfNow.all(), text),
    isOnline: liveness.isOnline,
    discover(id, address) {
      const known = nodes.get(id);
      if (known !== undefined) addresses.note(address, id, monotonic.now());
      else if (strangers.admitsDiscovery(id, address)) return record(id, address, "by its boot request");
      return known;
    },

    bootPlanned(id, boot) {
      const at = clock.now();
      const node = nodes.get(id);
      if (node?.installation !== undefined && gaveUp(node.boots, at)) {
        nodes.saveLater({ ...node, installation: installationAfterFailedLoad(node) ?? node.installation });
      }
      boots.planned(id, boot);
      runs.begun(id, boot.label);
    },

    recordFetch(fetch) {
      const at = clock.now();
      const known = fetcherOf(fetch);
      requests.note(fetch, known?.id, at);
      if (known === undefined) {
        boots.fetched(fetch, undefined);
        return;
      }
      const agentSilentMs = known.agentSeenAt === undefined ? undefined : liveness.silentForMs(known.id);
      if (agentSilentMs !== undefined && agentSilentMs < (fetch.silentMs ?? 0)) {
        // A transfer that was only given up now: the board has long moved on, and its agent runs.
        boots.fetched(fetch, known);
        return;
      }
      addresses.note(fetch.address, known.id, monotonic.now());
      const node = nodes.saveLater({
        ...(showsBoot(known, fetch) ? booting(known) : known),
        ...placeOf(known, fetch.address),
        lastSeenAt: at,
        bootStage: stageAfter(known.bootStage, fetch, at),
      });
      boots.fetched(fetch, node);
      announce(node, "boot-file-fetched");
    },

    requestsOf: requests.of,

    recordLease(id, address) {
      const at = clock.now();
      const known = nodes.get(id);
      if (known === undefined) return;
      addresses.note(address, id, monotonic.now());
      const node = nodes.saveLater({ ...known, ...placeOf(known, address), lastSeenAt: at });
      announce(node, "address-leased");
    },

    register({ id, facts, agent, doubted, address }) {
      assertOwnMac(id, facts);
      const at = clock.now();
      const recorded = nodes.get(id);
      if (recorded === undefined) strangers.assertRegistration(id, address);
      else if (address !== undefined) addresses.note(address, id, monotonic.now());
      const { bootAddress: _, ...known } = recorded ?? record(id, address, "by its registration");
      const { verdict, node: before } = judgeBoard(known, facts.serial, { at, newName: () => newNameFor(id) });
      const heard = installationAfterSign(before.installation, agent.role);
      const installation = installationAfter(heard, { facts, agent });
      const node = saveSoon({
        ...before,
        facts,
        agent,
        lastSeenAt: at,
        agentSeenAt: at,
        ...(address !== undefined && { address }),
        ...(installation && { installation }),
      });
      const change = describeRootChange(node.name, before.installation?.root, installation?.root);
      if (change !== undefined) tell(node, "root-ids-changed", change);
      const kernels = describeKernelChange(node.name, before.facts, facts);
      if (kernels !== undefined) tell(node, kernels.type, kernels.message, kernels.severity);
      for (const { type, severity, message } of describeTasks(node.name, before.agent, agent))
        tell(node, type, message, severity);
      const wasSilent = liveness.heard(id);
      tellBoard(known, node, verdict);
      if (wasSilent || before.agent?.instanceId !== agent.instanceId) {
        const doubts = doubted === undefined ? "" : `; not believed: ${doubted.join(", ")}`;
        const severity = doubted === undefined ? "info" : "warning";
        tell(node, "node-registered", `${node.name} registered: ${describeAgent(node)}${doubts}`, severity);
      }
      refusals.end(id);
      runs.note(id, { kind: "heard", role: agent.role, target: node.bootTarget.kind });
      announce(node, "registered");
      if (verdict === "own-again") announce(node, "own-board-back");
      const rule = acceptRules?.use(node);
      return rule === undefined ? node : acceptBy(node, rule);
    },

    recordRefusal(refused) {
      const byAddress = refused.address && addresses.ownerOf(refused.address, monotonic.now());
      refusals.note(refused, nodes.all(), byAddress || undefined);
    },

    troublesOf(node) {
      const at = clock.now();
      // As it is known by then.
      const found = [refusals.of(node.id), describeBoots((nodes.get(node.id) ?? node).boots, at)];
      return found.filter((trouble) => trouble !== undefined);
    },

    requireAgent,

    heartbeat({ id, instanceId, temperatureCelsius, address }) {
      const at = clock.now();
      const { bootAddress: _where, ...before } = requireAgent(id, instanceId);
      if (address !== undefined) addresses.note(address, id, monotonic.now());
      const { temperatureCelsius: _, ...facts } = before.facts;
      const isItself = before.agent.role === "resident" && before.installation !== undefined;
      const node = nodes.saveLater({
        ...before,
        // While its system is heard, what others fetch in its name counts for nothing.
        ...(isItself && {
          installation: installationAfterSign(before.installation, "resident") ?? before.installation,
        }),
        facts: { ...facts, ...(temperatureCelsius !== undefined && { temperatureCelsius }) },
        lastSeenAt: at,
        agentSeenAt: at,
        ...(address !== undefined && { address }),
      });
      const silentSeconds = Math.round((liveness.silentForMs(id) ?? 0) / 1000);
      if (liveness.heard(id)) {
        tell(node, "node-came-back", `${node.name} is reporting again after ${silentSeconds} s`);
        announce(node, "came-back");
      }
      refusals.heard(id);
      runs.note(id, { kind: "heard", role: before.agent.role, target: node.bootTarget.kind });
      announce(node, "heartbeat");
      return node;
    },

    rename(id, name) {
      const before = existing(id);
      const problem = problemOfNodeName(name);
      if (problem !== undefined) throw invalid(problem);
      if (before.name === name) return before;
      if (name === controllerName) throw invalid(`"${name}" is this machine's own name in DNS; choose another`);
      const other = find(name);
      if (other !== undefined && other.id !== id) {
        throw alreadyExists(`"${name}" already refers to another node: ${other.name} (${other.id})`);
      }
      const holder = nodes.all().find((candidate) => hasSetAside(candidate, name));
      if (holder !== undefined) throw alreadyExists(`"${name}" is kept for a board: ${describeReplacement(holder)}`);
      const node = nodes.save({ ...before, name });
      tell(node, "node-renamed", `${before.name} is now called ${name}`);
      announce(node, "renamed");
      return node;
    },

    accept(id) {
      const before = existing(id);
      if (before.accepted) return before;
      const node = nodes.save(acceptBoard(before));
      const inPlace =
        before.name === node.name ? "" : `, in place of the board that had this name: it was ${before.name}`;
      tell(node, "node-accepted", `${node.name} was accepted${inPlace}`);
      announce(node, "accepted");
      return node;
    },

    acceptNamed() {
      return nodes.all().flatMap((node) => {
        const rule = acceptRules?.naming(node);
        return rule === undefined ? [] : [acceptBy(node, rule)];
      });
    },

    label(id, changes) {
      const before = existing(id);
      const was = before.labels ?? {};
      const labels = changedLabels(was, changes);
      if (renderLabels(was) === renderLabels(labels)) return before;
      const { labels: _, ...rest } = before;
      const node = nodes.save({ ...rest, ...(Object.keys(labels).length > 0 && { labels }) });
      tell(node, "node-labelled", `${node.name} has ${renderLabels(labels) || "no labels"}`);
      announce(node, "labelled");
      return node;
    },

    forget(id) {
      const node = existing(id);
      remove(node);
      tell(node, "node-forgotten", `${node.name} (${id}) was forgotten`);
      announce(node, "forgotten");
    },

    setBootTarget: changeTarget,

    setProved(id, proved) {
      const node = nodes.save({ ...existing(id), proved });
      announce(node, "proved");
      return node;
    },

    restore(id, proved, disk) {
      const before = existing(id);
      const bootTarget = { kind: "local", imageDigest: proved.imageDigest } as const;
      const { facts, agent } = before;
      // Of another reimage than what is known, where that is older.
      const isOther = agent?.installed?.reimageId !== before.installation?.reimageId;
      const own = isOther && facts && agent && installationAfter(undefined, { facts, agent });
      const node = nodes.save({ ...before, bootTarget, proved, ...(own && { installation: own }) });
      tell(
        node,
        "node-restored",
        `${node.name} was restored from its stamp: its agent registered from ${proved.imageName} on ${disk}, ` +
          "so that counts as proved, and its next boot goes there",
      );
      announce(node, "proved");
      return node;
    },

    adopt(id, installation, imageName, disk) {
      const bootTarget = { kind: "local", imageDigest: installation.imageDigest } as const;
      const { proved: _, ...before } = existing(id);
      const node = nodes.save({ ...before, bootTarget, installation });
      tell(
        node,
        "node-restored",
        `${node.name} came into the agent because nothing was known of it; ${disk} bears the stamp of ${imageName}, ` +
          "so it is rebooted into its own system",
      );
      announce(node, "boot-target-changed");
      return node;
    },

    voidProof(id, next) {
      const before = existing(id);
      if (before.proved === undefined && before.installation?.reimageId === next.reimageId) return before;
      const { proved: _, ...rest } = before;
      const node = nodes.save({ ...rest, installation: { ...next, firstBoot: "due", erased: true } });
      announce(node, "proof-voided");
      return node;
    },

    systemErased(id) {
      const { proved: _, ...before } = existing(id);
      const { installation } = before;
      const node = nodes.save({ ...before, ...(installation && { installation: { ...installation, erased: true } }) });
      announce(node, "proof-voided");
      return node;
    },

    giveBack(id, reimageId, given) {
      const before = existing(id);
      const target = given.bootTarget;
      const recipient = recipientOf(before, given.serial ?? "");
      if (recipient === "nobody") return before;
      if (recipient === "set-aside") return nodes.save(givenBackAside(before, reimageId, given));
      const node = nodes.save(givenBack(before, reimageId, given));
      if (!sameTarget(before.bootTarget, target)) {
        tell(node, "boot-target-changed", `the next boot of ${node.name} goes to ${describeTarget(target)} again`);
        announce(node, "boot-target-changed");
      }
      return node;
    },

    setRoot(id, reimageId, root) {
      const before = existing(id);
      if (before.installation === undefined || before.installation.reimageId !== reimageId) return before;
      if (before.installation.root !== undefined && sameRootIds(before.installation.root, root)) return before;
      const node = nodes.save({ ...before, installation: { ...before.installation, root } });
      const change = describeRootChange(node.name, before.installation.root, root);
      if (change !== undefined) tell(node, "root-ids-changed", change);
      return node;
    },

    setHostKeys(id, reimageId, hostKeys) {
      const before = existing(id);
      const { installation } = before;
      if (installation?.config === undefined || installation.reimageId !== reimageId) return before;
      return nodes.save({ ...before, installation: { ...installation, config: { ...installation.config, hostKeys } } });
    },

    lookTaken(id) {
      const before = existing(id);
      if (before.installation?.lookDue === undefined) return before;
      const { lookDue: _, ...installation } = before.installation;
      return nodes.save({ ...before, installation });
    },

    onChange(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },

    close() {
      closed.abort();
      flush();
    },
  };
}

/** Where a node was seen by what carries no agent's word: its agent's address stays what that agent said. */
function placeOf(node: Node, address: string): Pick<Node, "address" | "bootAddress"> {
  return node.agent === undefined ? { address } : { bootAddress: address };
}

/** The first missing file stays recorded, whatever else the board then tries and also does not get. */
function stageAfter(before: Node["bootStage"], fetch: BootFetch, at: number): NonNullable<Node["bootStage"]> {
  const isMissing = fetch.outcome === "not-found" && !isExpectedMiss(fetch.path);
  if (before?.missing && fetch.outcome === "not-found" && !isMissing) return { ...before, at };
  const path = printablePath(fetch.path);
  return { path, at, ...(fetch.outcome === "served" && { served: true }), ...(isMissing && { missing: true }) };
}

function describeTarget(target: BootTarget): string {
  return target.kind === "agent" ? "agent" : `local (image ${shortDigest(target.imageDigest)})`;
}

function sameTarget(a: BootTarget, b: BootTarget): boolean {
  if (a.kind === "local" && b.kind === "local") return a.imageDigest === b.imageDigest;
  return a.kind === b.kind;
}
