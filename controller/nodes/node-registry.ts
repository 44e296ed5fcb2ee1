import type { Clock } from "../clock.ts";
import type { EventType, NewEvent } from "../events/event.ts";
import { alreadyExists, invalid, notFound, Refusal } from "../refusal.ts";
import type { NodeRows } from "../store/node-rows.ts";
import { createAddressBook } from "./address-book.ts";
import { type BootFetch, printablePath, serialInPath } from "./boot-fetch.ts";
import { parseMacAddress } from "./mac-address.ts";
import type { AgentInfo, BootTarget, Node, NodeFacts, NodeId } from "./node.ts";
import type { NodeChangeCause, NodeChangeListener } from "./node-change.ts";
import { defaultNodeName, problemOfNodeName } from "./node-name.ts";

/** What an agent says of itself and its node. */
export interface Registration {
  readonly id: NodeId;
  readonly facts: NodeFacts;
  readonly agent: AgentInfo;
  /** IP address that it came from; absent when it did not come over IP. */
  readonly address?: string;
}

/** A sign of life of an agent. */
export interface Heartbeat {
  readonly id: NodeId;
  readonly instanceId: string;
  readonly temperatureCelsius?: number;
  readonly address?: string;
}

/** What a node was told to load, so that its later fetches can be understood. */
export interface PlannedBoot {
  readonly label: "agent" | "local";
  /** Paths in the boot tree. */
  readonly kernel: string;
  readonly initrd?: string;
  readonly deviceTree?: string;
}

/** Every node that this controller knows. The one place that changes them; what it gives out are snapshots. */
export interface NodeRegistry {
  /** By name. */
  list(): Node[];
  get(id: NodeId): Node | undefined;
  /** By name, MAC address in any usual notation, or serial number. Throws a Failure when two nodes have that serial number. */
  find(nameOrMacOrSerial: string): Node | undefined;
  /** As `find`; throws a Refusal when there is none. */
  require(nameOrMacOrSerial: string): Node;
  /** Whether its agent is heard from: not longer ago than three heartbeats. */
  isOnline(node: Node): boolean;
  /** The node with this MAC address, recorded now if it was never seen: not accepted, boot target agent. */
  discover(id: NodeId, address: string): Node;
  /** Notes what the config that is being rendered for the node tells it to load. */
  bootPlanned(id: NodeId, boot: PlannedBoot): void;
  /** Notes that a boot file was asked for. */
  recordFetch(fetch: BootFetch): void;
  /** Throws a Failure when the MAC address is none of the node's own. */
  register(registration: Registration): Node;
  /** Throws a Refusal (not-found) when this instance of the agent has not registered here. */
  heartbeat(heartbeat: Heartbeat): Node;
  /** Throws when the name is malformed or taken. */
  rename(id: NodeId, name: string): Node;
  accept(id: NodeId): Node;
  forget(id: NodeId): void;
  setBootTarget(id: NodeId, target: BootTarget): Node;
  setProved(id: NodeId, proved: NonNullable<Node["proved"]>): Node;
  /** Returns a function that ends it. */
  onChange(listener: NodeChangeListener): () => void;
  /** Stops watching for silence and writes what is not on disk yet. */
  close(): void;
}

/** After how many missed heartbeats a node counts as silent. */
const missedHeartbeats = 3;
/** How late frequent small changes (last seen, temperature, boot stage) may reach the disk, in milliseconds. */
const flushAfterMs = 5000;
/** No rack is this large: more would be somebody making up MAC addresses. */
const maxNodes = 5000;
/** At most one event about refused files per address in this time, in milliseconds. */
const refusalEventEveryMs = 60_000;

/** Builds the registry over what `rows` remembers. `log` is told of listeners that throw. */
export function createNodeRegistry(options: {
  readonly rows: NodeRows;
  readonly events: { append(event: NewEvent): unknown };
  readonly clock: Clock;
  readonly heartbeatIntervalMs: number;
  readonly log: { error(details: object, message: string): void };
}): NodeRegistry {
  const { rows, events, clock, heartbeatIntervalMs, log } = options;
  const silentAfterMs = missedHeartbeats * heartbeatIntervalMs;
  const nodes = new Map<NodeId, Node>(rows.all().map((node) => [node.id, node]));
  const listeners = new Set<NodeChangeListener>();
  const addresses = createAddressBook();
  const planned = new Map<NodeId, PlannedBoot & { kernelFetched: boolean }>();
  const refusalsTold = new Map<string, number>();
  /** Nodes whose agent is heard from, as far as was told in an event. */
  const heard = new Set<NodeId>();
  /** Nodes that an event declared silent and none has declared back. */
  const silent = new Set<NodeId>();
  /** Changed in memory, not yet on disk. */
  const unsaved = new Set<NodeId>();
  let flushedAt = clock.now();

  for (const node of nodes.values()) {
    if (node.address !== undefined) addresses.note(node.address, node.id, node.lastSeenAt);
    if (isOnline(node)) heard.add(node.id);
  }

  function isOnline(node: Node): boolean {
    return node.agentSeenAt !== undefined && clock.now() - node.agentSeenAt <= silentAfterMs;
  }

  function tell(node: Node, type: EventType, message: string, severity: NewEvent["severity"] = "info"): void {
    events.append({ type, severity, nodeId: node.id, nodeName: node.name, message });
  }

  function announce(node: Node, cause: NodeChangeCause): void {
    for (const listener of [...listeners]) {
      try {
        listener({ node, cause });
      } catch (error) {
        log.error({ err: error, node: node.name, cause }, "a listener to node changes failed");
      }
    }
  }

  /** A change that must survive a power cut at once. */
  function save(node: Node): Node {
    rows.save(node);
    nodes.set(node.id, node);
    unsaved.delete(node.id);
    return node;
  }

  /** A change that may be lost. */
  function keep(node: Node): Node {
    nodes.set(node.id, node);
    unsaved.add(node.id);
    return node;
  }

  function flush(): void {
    rows.saveAll([...unsaved].flatMap((id) => nodes.get(id) ?? []));
    unsaved.clear();
    flushedAt = clock.now();
  }

  function existing(id: NodeId): Node {
    const node = nodes.get(id);
    if (node === undefined) throw notFound(`there is no node ${id}`);
    return node;
  }

  function find(text: string): Node | undefined {
    const byName = [...nodes.values()].find((node) => node.name === text);
    if (byName !== undefined) return byName;
    const mac = parseMacAddress(text);
    const byMac = mac === undefined ? undefined : nodes.get(mac);
    if (byMac !== undefined) return byMac;
    const bySerial = withSerial(text.toLowerCase());
    if (bySerial.length > 1) {
      const names = bySerial.map((node) => node.name).join(", ");
      throw invalid(`several nodes have the serial number ${text}: ${names}; use a name or a MAC address`);
    }
    return bySerial[0];
  }

  function withSerial(serial: string): Node[] {
    if (serial === "") return [];
    return [...nodes.values()].filter((node) => node.facts?.serial === serial);
  }

  function discover(id: NodeId, address: string | undefined, how: string): Node {
    const at = clock.now();
    if (address !== undefined) addresses.note(address, id, at);
    const known = nodes.get(id);
    if (known !== undefined) return known;
    if (nodes.size >= maxNodes) {
      throw new Refusal(
        "exhausted",
        `${id} is not recorded: ${maxNodes} nodes are known already; forget those that do not exist`,
      );
    }
    const node = save({
      id,
      name: defaultNodeName(id, (name) => find(name) !== undefined),
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

  function watchForSilence(): void {
    for (const id of heard) {
      const node = nodes.get(id);
      if (node !== undefined && isOnline(node)) continue;
      heard.delete(id);
      if (node === undefined) continue;
      silent.add(id);
      tell(node, "node-went-silent", `${node.name} has not been heard from for ${silentAfterMs / 1000} s`, "warning");
      announce(node, "went-silent");
    }
  }

  function recordRefusal(fetch: BootFetch, node: Node | undefined): void {
    const at = clock.now();
    if (at - (refusalsTold.get(fetch.address) ?? Number.NEGATIVE_INFINITY) < refusalEventEveryMs) return;
    if (refusalsTold.size > 1000) refusalsTold.clear();
    refusalsTold.set(fetch.address, at);
    events.append({
      type: "boot-file-refused",
      severity: "warning",
      message: `refused to serve "${printablePath(fetch.path)}" to ${fetch.address}: not a path inside the boot tree`,
      ...(node !== undefined && { nodeId: node.id, nodeName: node.name }),
    });
  }

  function recordConfig(node: Node, fetch: BootFetch): void {
    if (fetch.outcome !== "served") return;
    const label = planned.get(node.id)?.label ?? node.bootTarget.kind;
    tell(node, "boot-config-rendered", `${node.name} fetched its boot config: it boots ${label}`);
  }

  function recordPlannedFile(node: Node, fetch: BootFetch): void {
    const boot = planned.get(node.id);
    if (boot === undefined) return;
    const path = fetch.path.replace(/^\/+/, "");
    const word = path === boot.kernel ? "kernel" : path === boot.initrd ? "initial RAM disk" : undefined;
    if (word === undefined) return;
    if (fetch.outcome === "not-found") {
      const message = `${node.name} asked for its ${word} "${printablePath(path)}", which is not in the boot tree`;
      tell(node, "boot-file-refused", message, "error");
    } else if (fetch.outcome === "served" && word === "kernel" && !boot.kernelFetched) {
      boot.kernelFetched = true;
      tell(node, "boot-file-fetched", `${node.name} fetched its kernel "${printablePath(path)}" (${boot.label})`);
    }
  }

  const closed = new AbortController();
  const watchAgain = (): void => {
    // Twice per heartbeat, so that silence is told at most half a heartbeat late.
    const everyMs = heartbeatIntervalMs / 2;
    const watch = (): void => {
      try {
        watchForSilence();
        if (clock.now() - flushedAt >= flushAfterMs) flush();
      } catch (error) {
        // A full disk, most likely. What is not saved stays unsaved, and is tried again.
        log.error({ err: error }, "the state of nodes could not be saved");
      }
      watchAgain();
    };
    clock.setTimeout(watch, everyMs, closed.signal);
  };
  watchAgain();

  return {
    list: () => [...nodes.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    get: (id) => nodes.get(id),
    find,
    require(text) {
      const node = find(text);
      if (node !== undefined) return node;
      throw notFound(`there is no node "${text}"; "controller nodes" lists those that exist`);
    },
    isOnline,
    discover: (id, address) => discover(id, address, "by its boot request"),

    bootPlanned(id, boot) {
      planned.set(id, { ...boot, kernelFetched: false });
    },

    recordFetch(fetch) {
      const at = clock.now();
      const serial = serialInPath(fetch.path);
      const id =
        fetch.mac ??
        [...nodes.values()].find((node) => serial !== undefined && node.facts?.serial.endsWith(serial))?.id ??
        addresses.ownerOf(fetch.address, at);
      const known = id === undefined ? undefined : nodes.get(id);
      if (fetch.outcome === "refused") recordRefusal(fetch, known);
      if (known === undefined) return;
      addresses.note(fetch.address, known.id, at);
      // A board that asks for boot files is booting: the agent of before runs no more, and has not gone silent either.
      const { agentSeenAt: _, ...booting } = known;
      heard.delete(known.id);
      silent.delete(known.id);
      const node = keep({
        ...booting,
        // An agent's own address counts for more: boot loaders may get another, and people try out URLs.
        ...((known.address === undefined || !isOnline(known)) && { address: fetch.address }),
        lastSeenAt: at,
        bootStage: { path: printablePath(fetch.path), at },
      });
      if (fetch.mac === undefined) recordPlannedFile(node, fetch);
      else recordConfig(node, fetch);
      announce(node, "boot-file-fetched");
    },

    register({ id, facts, agent, address }) {
      if (!facts.interfaces.some((candidate) => parseMacAddress(candidate.mac) === id)) {
        const own = facts.interfaces.map((candidate) => candidate.mac).join(", ") || "none";
        throw invalid(
          `${id} cannot register: that MAC address is none of this node's own (${own}); ` +
            'check "pallet.node=" on its kernel command line',
        );
      }
      const before = discover(id, address, "by its registration");
      const at = clock.now();
      const node = save({
        ...before,
        facts,
        agent,
        lastSeenAt: at,
        agentSeenAt: at,
        ...(address !== undefined && { address }),
      });
      heard.add(id);
      const wasSilent = silent.delete(id);
      if (before.facts !== undefined && before.facts.serial !== facts.serial) {
        const was = `${before.facts.serial || "(none)"}, now ${facts.serial || "(none)"}`;
        const message = `${node.name} has another serial number than before (was ${was}): two boards with one MAC address?`;
        tell(node, "node-registered", message, "warning");
      }
      if (wasSilent || before.agent?.instanceId !== agent.instanceId) {
        tell(node, "node-registered", `${node.name} registered: ${describeAgent(node)}`);
      }
      announce(node, "registered");
      return node;
    },

    heartbeat({ id, instanceId, temperatureCelsius, address }) {
      const before = nodes.get(id);
      if (before?.agent === undefined || before.facts === undefined || before.agent.instanceId !== instanceId) {
        throw notFound(`this instance of the agent of ${id} is not known here; register again`);
      }
      const at = clock.now();
      if (address !== undefined) addresses.note(address, id, at);
      const { temperatureCelsius: _, ...facts } = before.facts;
      const node = keep({
        ...before,
        facts: { ...facts, ...(temperatureCelsius !== undefined && { temperatureCelsius }) },
        lastSeenAt: at,
        agentSeenAt: at,
        ...(address !== undefined && { address }),
      });
      heard.add(id);
      if (silent.delete(id)) {
        tell(
          node,
          "node-came-back",
          `${node.name} is heard from again after ${secondsBetween(before.agentSeenAt, at)} s`,
        );
        announce(node, "came-back");
      }
      announce(node, "heartbeat");
      return node;
    },

    rename(id, name) {
      const before = existing(id);
      const problem = problemOfNodeName(name);
      if (problem !== undefined) throw invalid(problem);
      if (before.name === name) return before;
      const other = find(name);
      if (other !== undefined && other.id !== id) {
        throw alreadyExists(`"${name}" stands for another node already: ${other.name} (${other.id})`);
      }
      const node = save({ ...before, name });
      tell(node, "node-renamed", `${before.name} is now called ${name}`);
      announce(node, "renamed");
      return node;
    },

    accept(id) {
      const before = existing(id);
      if (before.accepted) return before;
      const node = save({ ...before, accepted: true });
      tell(node, "node-accepted", `${node.name} was accepted`);
      announce(node, "accepted");
      return node;
    },

    forget(id) {
      const node = existing(id);
      rows.remove(id);
      nodes.delete(id);
      addresses.forget(id);
      for (const memory of [planned, heard, silent, unsaved]) memory.delete(id);
      tell(node, "node-forgotten", `${node.name} (${id}) was forgotten`);
      announce(node, "forgotten");
    },

    setBootTarget(id, target) {
      const before = existing(id);
      if (sameTarget(before.bootTarget, target)) return before;
      const node = save({ ...before, bootTarget: target });
      const words = target.kind === "agent" ? "agent" : `local (image ${target.imageDigest.slice(0, 12)})`;
      tell(node, "boot-target-changed", `the next boot of ${node.name} goes to ${words}`);
      announce(node, "boot-target-changed");
      return node;
    },

    setProved(id, proved) {
      const node = save({ ...existing(id), proved });
      announce(node, "proved");
      return node;
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

function sameTarget(a: BootTarget, b: BootTarget): boolean {
  if (a.kind === "local" && b.kind === "local") return a.imageDigest === b.imageDigest;
  return a.kind === b.kind;
}

function secondsBetween(earlier: number | undefined, later: number): number {
  return Math.round((later - (earlier ?? later)) / 1000);
}

function describeAgent(node: Node): string {
  const { agent, facts } = node;
  if (agent === undefined || facts === undefined) return "no agent";
  const root = `root on ${facts.root.source} (${facts.root.filesystemType})`;
  if (agent.role === "netboot") return `netbooted agent, ${root}`;
  return `running ${agent.installed?.imageName ?? "a system that Pallet did not install"}, ${root}`;
}
