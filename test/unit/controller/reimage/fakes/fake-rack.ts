import assert from "node:assert/strict";
import { AgentError } from "../../../../../controller/agents/agent-error.ts";
import { authorNow } from "../../../../../controller/callers/author.ts";
import type { Author } from "../../../../../controller/callers/caller.ts";
import type { NewEvent } from "../../../../../controller/events/event.ts";
import type { GivenValues, Hook, HookCall, RunHook } from "../../../../../controller/hooks/hook.ts";
import { createHooks, type Hooks } from "../../../../../controller/hooks/hooks.ts";
import type { Image, ImageName } from "../../../../../controller/images/catalogue/image.ts";
import { requireNode } from "../../../../../controller/nodes/find-node.ts";
import type { BootTarget, Node } from "../../../../../controller/nodes/node.ts";
import type { NodeChange, NodeChangeCause } from "../../../../../controller/nodes/node-change.ts";
import type { ProfiledNode } from "../../../../../controller/profiles/choose-profiles.ts";
import type { NodeSystem } from "../../../../../controller/profiles/node-system.ts";
import type { NodePort } from "../../../../../controller/reimage/executors/ports.ts";
import { defaultReimageSettings, type ReimageSettings } from "../../../../../controller/reimage/machine/settings.ts";
import type { CardFirmwarePolicy } from "../../../../../controller/reimage/plan/plan-disk-firmware.ts";
import type { RolloutId, RolloutRequest } from "../../../../../controller/reimage/plan/rollout.ts";
import { createRollouts, type Rollouts } from "../../../../../controller/reimage/rollouts.ts";
import { createUplink } from "../../../../../controller/uplink/uplink.ts";
import type { UplinkLimits } from "../../../../../controller/uplink/uplink-limits.ts";
import type { DiskProtection } from "../../../../../proto/disk/protected-disk.ts";
import { Failure } from "../../../../../proto/failure.ts";
import type { NodeId } from "../../../../../proto/names/node-id.ts";
import type { ImageDigest, ManifestDigest } from "../../../../../proto/pack/digest.ts";
import type { Clock } from "../../../../../proto/time/clock.ts";
import { createManualClock, type ManualClock } from "../../../proto/time/manual-clock.ts";
import { createFakeJournal, type FakeJournal } from "./fake-journal.ts";
import { createFakeMachine, type FakeMachine } from "./fake-machine.ts";

export const image: Image = {
  name: "debian-12" as ImageName,
  digest: "d1".repeat(32) as ImageDigest,
  sizeBytes: 2 ** 30,
  storedBytes: 2 ** 28,
  partitionTable: "mbr",
  partitions: [
    {
      number: 1,
      offsetBytes: 2 ** 20,
      lengthBytes: 2 ** 28,
      type: "0c",
      partitionUuid: "abcd1234-01",
      filesystemType: "vfat",
      label: "bootfs",
      uuid: "",
    },
    {
      number: 2,
      offsetBytes: 2 ** 29,
      lengthBytes: 2 ** 29,
      type: "83",
      partitionUuid: "abcd1234-02",
      filesystemType: "ext4",
      label: "rootfs",
      uuid: "",
    },
  ],
  rootPartition: 2,
  operatingSystem: "Debian GNU/Linux 12",
  boot: { kernel: "vmlinuz", deviceTrees: [], commandLine: "console=ttyS0" },
  pack: {
    manifestDigest: "3a".repeat(32) as ManifestDigest,
    manifestBytes: 600_000,
    chunkBytes: 65_536,
    dataBytes: 2 ** 29,
    zeroBytes: 2 ** 28,
    unusedBytes: 2 ** 28,
    fetchBytes: 2 ** 28 - 200_000,
  },
  addedAt: 0,
};

/** Machines, a registry of them, and a controller's rollouts that can die and come back. */
export interface FakeRack {
  readonly clock: ManualClock;
  /** By how much the controller's clock was set forward, apart from the clock of its machine's boot. */
  clockAheadMs: number;
  controllerBootId: string;
  readonly journal: FakeJournal;
  readonly machines: readonly FakeMachine[];
  /** With whose name the real log would have kept each. */
  readonly events: (NewEvent & Author)[];
  /** What the configuration has, when the controller starts. */
  hooks: readonly Hook[];
  /** What a hook comes to; default: success. */
  runHook: RunHook;
  /** Every hook that was begun, in order. */
  readonly hookCalls: HookCall[];
  /** Called with each event, in whose name it is. */
  onEvent: ((event: NewEvent) => void) | undefined;
  readonly errors: string[];
  readonly nodes: NodePort;
  /** Every boot target set, in order. */
  readonly targets: { readonly id: NodeId; readonly target: BootTarget }[];
  images: Image[];
  /** The operator's policy, as the controller reads it when it starts. */
  cardFirmware: CardFirmwarePolicy;
  /** What profiles say of a node, or why they cannot be read; nothing at first. */
  systemOf: (node: ProfiledNode, given?: GivenValues) => NodeSystem | Failure | undefined;
  /** The disks that the operator's policy protects. */
  protectedDisks: DiskProtection;
  /** What goes to which address, in bytes per second. */
  readonly rates: Map<string, number>;
  rollouts(): Rollouts;
  machine(index?: number): FakeMachine;
  targetOf(index?: number): string;
  unaccept(...indexes: number[]): void;
  /** Makes the next so many changes of a boot target fail. */
  failTargets: number;
  /** Whether what is asked for is in the boot tree. */
  servesKernels: boolean;
  /** The controller's process ends at once. */
  crash(): void;
  /** It comes back and takes up its work. */
  restart(): void;
  /** Emits a change once more, or late. */
  emit(change: NodeChange): void;
  /** Starts a rollout of every machine and returns its id. */
  startAll(how?: Pick<RolloutRequest, "noResident" | "noGrow">): Promise<RolloutId>;
  /** Lets time pass until the rollout has ended. */
  untilEnded(id: RolloutId, limitMs?: number): Promise<void>;
}

export function createFakeRack(
  count = 1,
  settings: Partial<ReimageSettings> = {},
  limits: UplinkLimits = {},
): FakeRack {
  const clock = createManualClock();
  /** What the controller's machine takes for the date. */
  const dates: Clock = { now: () => clock.now() + rack.clockAheadMs, setTimeout: clock.setTimeout };
  const journal = createFakeJournal();
  const known = new Map<NodeId, Node>();
  const listeners = new Set<(change: NodeChange) => void>();
  const events: (NewEvent & Author)[] = [];
  const errors: string[] = [];
  const targets: { id: NodeId; target: BootTarget }[] = [];

  const append = (event: NewEvent): void => {
    events.push({ ...event, ...authorNow() });
    rack.onEvent?.(event);
  };

  function change(id: NodeId, fields: Partial<Node>, cause: NodeChangeCause): void {
    const node = known.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    const next = { ...node, ...fields };
    known.set(id, next);
    rack.emit({ node: next, cause });
  }

  const machines = Array.from({ length: count }, (_, index) => {
    const id = `02:00:00:00:00:${String(index + 1).padStart(2, "0")}` as NodeId;
    const address = `10.0.0.${index + 1}`;
    known.set(id, {
      id,
      name: `pi-${index + 1}`,
      accepted: true,
      bootTarget: { kind: "agent" },
      address,
      lastSeenAt: clock.now(),
      discoveredAt: clock.now(),
    });
    return createFakeMachine(id, address, {
      clock,
      fetchConfig(nodeId) {
        const path = `pxelinux.cfg/01-${nodeId.replaceAll(":", "-")}`;
        change(nodeId, { bootStage: { path, at: dates.now() } }, "boot-file-fetched");
        const node = known.get(nodeId);
        if (node === undefined) throw new Error("unknown");
        return node.bootTarget;
      },
      fetchLocalKernel(nodeId) {
        const path = `images/${image.digest}/${image.boot.kernel}`;
        change(nodeId, { bootStage: { path, at: dates.now(), served: rack.servesKernels } }, "boot-file-fetched");
      },
      register: (nodeId, facts, agent) => change(nodeId, { facts, agent, agentSeenAt: dates.now() }, "registered"),
      heartbeat: (nodeId) => change(nodeId, { agentSeenAt: dates.now() }, "heartbeat"),
    });
  });

  const nodes: NodePort = {
    list: () => [...known.values()],
    get: (id) => known.get(id),
    require: (text) => requireNode(known.values(), text),
    isOnline: (node) => node.agentSeenAt !== undefined && dates.now() - node.agentSeenAt <= 30_000,
    setBootTarget(id, target) {
      if (rack.failTargets > 0) {
        rack.failTargets -= 1;
        throw new Error("disk full");
      }
      targets.push({ id, target });
      change(id, { bootTarget: target }, "boot-target-changed");
    },
    setProved: (id, proved) => change(id, { proved }, "proved"),
    voidProof(id, installation) {
      const { proved: _, ...node } = known.get(id) ?? assert.fail(`no node ${id}`);
      known.set(id, { ...node, installation });
    },
    giveBack(id, reimageId, { bootTarget, proved, installation }) {
      const node = known.get(id) ?? assert.fail(`no node ${id}`);
      targets.push({ id, target: bootTarget });
      const { proved: _, installation: __, ...rest } = node;
      const isVoided = node.installation?.reimageId === reimageId;
      const kept = isVoided ? { ...(proved && { proved }), ...(installation && { installation }) } : node;
      known.set(id, { ...rest, ...(isVoided ? {} : node), ...kept, bootTarget });
      change(id, {}, "boot-target-changed");
    },
    setRoot(id, reimageId, root) {
      const node = known.get(id) ?? assert.fail(`no node ${id}`);
      if (node.installation?.reimageId === reimageId) {
        known.set(id, { ...node, installation: { ...node.installation, root } });
      }
    },
    setHostKeys(id, reimageId, hostKeys) {
      const node = known.get(id) ?? assert.fail(`no node ${id}`);
      const { installation } = node;
      if (installation?.config !== undefined && installation.reimageId === reimageId)
        known.set(id, { ...node, installation: { ...installation, config: { ...installation.config, hostKeys } } });
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };

  const queued = new Map<string, HookCall>();
  const buildHooks = (): Hooks =>
    createHooks({
      hooks: rack.hooks,
      rows: {
        list: () => [...queued.values()],
        add(calls) {
          for (const call of calls) if (!queued.has(call.id)) queued.set(call.id, call);
        },
        remove: (id) => queued.delete(id),
      },
      runHook(hook, call, signal) {
        rack.hookCalls.push(call);
        return rack.runHook(hook, call, signal);
      },
      events: { append },
      monotonicClock: clock,
      log: { error: (_details, message) => errors.push(message) },
    });

  const build = (): Rollouts =>
    createRollouts({
      hooks,
      nodes,
      images: {
        list: async () => rack.images,
        get: async (name) => rack.images.find((each) => each.name === name),
        getByDigest: async (digest) => rack.images.find((each) => each.digest === digest),
      },
      agents: {
        connect: ({ address }) => {
          const machine = machines.find((each) => each.address === address);
          if (machine !== undefined) return machine.connect();
          throw new AgentError("unreachable", new Failure("node-silent", "nobody"), undefined);
        },
      },
      probeNode: async ({ address }) =>
        machines.some((each) => each.address === address && each.answers()) ? "it answers" : undefined,
      uplink: createUplink({
        limits,
        meter: {
          rateOf: (address) => rack.rates.get(address) ?? 0,
          totalRate: () => [...rack.rates.values()].reduce((sum, rate) => sum + rate, 0),
        },
        linkSpeed: () => undefined,
        clock,
      }),
      events: { append },
      clock: dates,
      moment: () => ({ bootId: rack.controllerBootId, ms: clock.now() }),
      log: { error: (_details, message) => errors.push(message), warn: () => {} },
      controllers: () => [{ host: "controller", port: 7700 }],
      protectedDisks: rack.protectedDisks,
      cardFirmware: rack.cardFirmware,
      profiles: { read: async () => ({ systemFor: async (node, _image, given) => rack.systemOf(node, given) }) },
      packUrls: ({ pack }) => ({
        pack: `http://controller/images/${pack.manifestDigest}.zst`,
        manifest: `http://controller/images/${pack.manifestDigest}.manifest`,
      }),
      journal,
      settings: { ...defaultReimageSettings, ...settings },
    });

  let rollouts: Rollouts;
  let hooks: Hooks;
  const die = (): void => {
    rollouts.close();
    void hooks.close();
  };
  const rack: FakeRack = {
    clock,
    journal,
    machines,
    rates: new Map(),
    events,
    hooks: [],
    runHook: async () => {},
    hookCalls: [],
    errors,
    nodes,
    targets,
    images: [image],
    protectedDisks: { labels: [], serials: [] },
    cardFirmware: "auto",
    systemOf: () => undefined,
    clockAheadMs: 0,
    controllerBootId: "the-controllers",
    onEvent: undefined,
    failTargets: 0,
    servesKernels: true,
    rollouts: () => rollouts,
    machine(index = 0) {
      const machine = machines[index];
      if (machine === undefined) throw new Error(`no machine ${index}`);
      return machine;
    },
    targetOf: (index = 0) => known.get(rack.machine(index).id)?.bootTarget.kind ?? "none",
    unaccept(...indexes) {
      for (const index of indexes) change(rack.machine(index).id, { accepted: false }, "accepted");
    },
    crash: die,
    restart() {
      die();
      hooks = buildHooks();
      rollouts = build();
      rollouts.resume();
      hooks.resume();
    },
    emit(event) {
      for (const listener of [...listeners]) listener(event);
    },
    async startAll(how = {}) {
      const names = nodes.list().map((node) => node.name);
      const { id } = await rollouts.start({ nodes: names, all: false, ...how });
      return id;
    },
    async untilEnded(id, limitMs = 4 * 3_600_000) {
      const ended = await clock.advanceUntil(
        () => rollouts.list().find((rollout) => rollout.id === id)?.state !== "running",
        limitMs,
        5000,
      );
      if (!ended) throw new Error(`rollout ${id} did not end: ${JSON.stringify(journal.get(id), null, 1)}`);
    },
  };
  hooks = buildHooks();
  rollouts = build();
  return rack;
}
