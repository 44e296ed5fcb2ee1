import { AgentError, type AgentErrorKind } from "../../../../../controller/agents/agent-error.ts";
import type { AgentPort } from "../../../../../controller/agents/agent-port.ts";
import type { BootTarget } from "../../../../../controller/nodes/node.ts";
import type { BlockDevice } from "../../../../../proto/disk/block-device.ts";
import { Failure, type FailureReason } from "../../../../../proto/failure.ts";
import type { NodeId } from "../../../../../proto/names/node-id.ts";
import type { AgentInfo } from "../../../../../proto/node/agent-info.ts";
import type { NodeFacts } from "../../../../../proto/node/node-facts.ts";
import { capabilities } from "../../../../../proto/operation/capabilities.ts";
import type { OperationId, ReportedOperation } from "../../../../../proto/operation/operation.ts";
import type { OperationSpec } from "../../../../../proto/operation/operation-spec.ts";
import type { ByteCount, OperationPhase } from "../../../../../proto/operation/progress.ts";
import { noProgress } from "../../../../../proto/operation/progress.ts";
import { withoutSystem } from "../../../../../proto/operation/without-system.ts";
import type { InstalledSystem } from "../../../../../proto/system/installed-system.ts";
import type { TasksReport } from "../../../../../proto/system/tasks/report-tasks.ts";
import type { Clock } from "../../../../../proto/time/clock.ts";
import { disk } from "./fake-disk.ts";

/** What a machine tells the outside. */
export interface MachineOutside {
  readonly clock: Clock;
  /** It asks for its boot config and gets where to boot. */
  fetchConfig(id: NodeId): BootTarget;
  /** It asks for the kernel that a local boot loads. */
  fetchLocalKernel(id: NodeId): void;
  register(id: NodeId, facts: NodeFacts, agent: AgentInfo): void;
  heartbeat(id: NodeId, instanceId: string): void;
}

/** What is on its card: nothing bootable, a foreign system, or an image with the stamp of a reimage. */
export type Card = "blank" | "foreign" | InstalledSystem;

/** A Pi as the controller meets it: boots, runs an agent, writes its card, loses power at any moment. */
export interface FakeMachine {
  readonly id: NodeId;
  readonly address: string;
  /** What happened to it, one word each. */
  readonly history: string[];
  /** As its device tree names it. */
  model: string;
  card: Card;
  /** The work that its agents were given, in order. */
  readonly specs: OperationSpec[];
  devices: readonly BlockDevice[];
  /** What its agents say that they can do; undefined for agents that do not say. */
  capabilities: readonly string[] | undefined;
  /** What its installed system says of its tasks; undefined for one that has none. */
  tasks: TasksReport | undefined;
  /** How it misbehaves. */
  readonly faults: {
    /** Never starts again after the next time it goes down. */
    staysDown?: boolean;
    /** Its firmware prefers the card, when that is bootable. */
    prefersCard?: boolean;
    /** Its firmware never looks at the card. */
    ignoresCard?: boolean;
    /** The next writes fail for these reasons. */
    readonly writes: FailureReason[];
    /** Writes stop at half. */
    stalls?: boolean;
    /** The next answers to Reboot are lost, although it reboots. */
    losesRebootAnswers?: boolean;
    /** The guard refuses the next write for this reason. */
    guard?: FailureReason;
    /** Its agent drops this part of a write, as one does that does not know the field. */
    drops?: "growth" | "ids" | "customisation";
    /** Reboot is refused for this reason. */
    rebootRefusal?: string;
    /** What its systems say to TCP: nothing. */
    mute?: boolean;
  };
  powerOn(): void;
  powerOff(): void;
  powerCycle(): void;
  /** The agent process dies and comes up again in the same boot. */
  killAgent(): void;
  /** Nothing goes in or out for so long. */
  cutNetwork(ms: number): void;
  isUp(): boolean;
  /** Whether a system runs that answers by TCP. */
  answers(): boolean;
  bootId(): string;
  role(): "netboot" | "resident" | undefined;
  connect(): AgentPort;
  /** Registers its present state once more, as after a restart of the controller. */
  registerAgain(): void;
}

export const bootMs = 20_000;
export const writeMs = 40_000;
const heartbeatMs = 10_000;
const ticks = 10;

export function createFakeMachine(id: NodeId, address: string, outside: MachineOutside): FakeMachine {
  const { clock } = outside;
  let boots = 0;
  let instances = 0;
  let power = new AbortController();
  let agentLife = new AbortController();
  let up: { bootId: string; role: "netboot" | "resident" } | undefined;
  let instance: string | undefined;
  let networkBackAt = 0;
  let operations = new Map<OperationId, ReportedOperation>();
  const writes = new Map<OperationId, AbortController>();
  const watchers = new Set<() => void>();
  power.abort();

  const connected = (): boolean => clock.now() >= networkBackAt;
  const wake = (): void => {
    for (const watcher of [...watchers]) watcher();
  };

  function goDown(): void {
    power.abort();
    agentLife.abort();
    up = undefined;
    instance = undefined;
    operations = new Map();
    wake();
  }

  function boot(): void {
    power = new AbortController();
    const { signal } = power;
    const askConfig = (): void => {
      if (!connected()) {
        clock.setTimeout(askConfig, 1000, signal);
        return;
      }
      const target =
        machine.faults.prefersCard && machine.card !== "blank" ? { kind: "card" } : outside.fetchConfig(id);
      if (target.kind === "local") clock.setTimeout(() => outside.fetchLocalKernel(id), bootMs / 4, signal);
      clock.setTimeout(() => start(target.kind), bootMs / 2, signal);
    };
    clock.setTimeout(askConfig, bootMs / 2, signal);
  }

  function start(target: string): void {
    const local = target !== "agent" && !machine.faults.ignoresCard;
    if (local && machine.card === "blank") {
      machine.history.push("nothing-to-boot");
      return;
    }
    boots += 1;
    up = { bootId: `${id}-boot-${boots}`, role: local ? "resident" : "netboot" };
    machine.history.push(`up-${up.role}`);
    startAgent();
  }

  function startAgent(): void {
    if (up === undefined) return;
    agentLife = new AbortController();
    operations = new Map();
    instances += 1;
    instance = `${id}-instance-${instances}`;
    // A foreign system has no agent of ours.
    if (up.role === "resident" && machine.card === "foreign") {
      instance = undefined;
      return;
    }
    register();
    beat(agentLife.signal);
  }

  function register(): void {
    if (up === undefined || instance === undefined) return;
    if (connected()) outside.register(id, facts(), agentInfo());
    else clock.setTimeout(register, 1000, agentLife.signal);
  }

  function beat(signal: AbortSignal): void {
    clock.setTimeout(
      () => {
        if (connected() && instance !== undefined) outside.heartbeat(id, instance);
        beat(signal);
      },
      heartbeatMs,
      signal,
    );
  }

  function facts(): NodeFacts {
    const resident = up?.role === "resident";
    return {
      model: machine.model,
      serial: "10000000a1b2c3d4",
      interfaces: [{ name: "eth0", mac: id, addresses: [address] }],
      memoryBytes: 2 ** 32,
      cpuCount: 4,
      cpuModel: "Cortex-A72",
      kernel: "6.1",
      architecture: "arm64",
      bootId: up?.bootId ?? "",
      root: resident
        ? { source: "/dev/mmcblk0p2", filesystemType: "ext4", disk: "/dev/mmcblk0" }
        : { source: "10.0.0.1:/rootfs", filesystemType: "overlay", disk: "" },
      hostname: "pi",
      uptimeSeconds: 1,
    };
  }

  function agentInfo(): AgentInfo {
    const installed = up?.role === "resident" && typeof machine.card === "object" ? { installed: machine.card } : {};
    const { capabilities: words } = machine;
    const told = words && { capabilities: words };
    const tasks = up?.role === "resident" && machine.tasks !== undefined ? { tasks: machine.tasks } : {};
    const about = { version: "1", role: up?.role ?? "netboot", instanceId: instance ?? "", port: 7710 };
    return { ...about, ...told, ...installed, ...tasks };
  }

  function error(kind: AgentErrorKind, reason: FailureReason, message: string): AgentError {
    return new AgentError(kind, new Failure(reason, message), undefined);
  }

  /** Every call starts with this. */
  async function reach(signal: AbortSignal | undefined): Promise<void> {
    await undefined;
    if (signal?.aborted) throw error("aborted", "cancelled", "given up");
    if (instance === undefined || !connected()) throw error("unreachable", "node-silent", `nobody at ${address}`);
  }

  function publish(operation: ReportedOperation): void {
    operations.set(operation.id, operation);
    wake();
  }

  function startWrite(operationId: OperationId, spec: OperationSpec & { kind: "write-image" }): ReportedOperation {
    const total = spec.source.sizeBytes;
    const of = (phase: OperationPhase, done: number): ReportedOperation["progress"] => {
      const count = (bytes: number): ByteCount => ({ done: bytes, total });
      return { ...noProgress, phase, read: count(done), written: count(done), bytesPerSecond: 1 };
    };
    const startedAt = clock.now();
    // As agents report their operations.
    const base = { id: operationId, spec: withoutSystem(spec), startedAt };
    const cancelled = new AbortController();
    writes.set(operationId, cancelled);
    const life = AbortSignal.any([cancelled.signal, agentLife.signal]);
    const failsFor = machine.faults.writes.shift();
    machine.card = "blank";
    machine.specs.push(spec);
    machine.history.push("write");
    const tick = (number: number): void => {
      if (machine.faults.stalls && number > ticks / 2) return;
      if (failsFor !== undefined && number > ticks / 2) {
        const failure = new Failure(failsFor, `the write failed: ${failsFor}`);
        publish({
          ...base,
          state: "failed",
          progress: of("writing", total / 2),
          failure,
          diskOutcome: "no-table",
          endedAt: clock.now(),
        });
        return;
      }
      if (number > ticks) {
        machine.card = spec.customisation?.stamp ?? "foreign";
        machine.history.push("written");
        const writeResult = {
          ids: [],
          ...(spec.growth && { growth: { partitionBytes: 8 * 2 ** 30, filesystemGrown: true } }),
        };
        const endedAt = clock.now();
        publish({ ...base, state: "succeeded", progress: of("writing-table", total), endedAt, writeResult });
        return;
      }
      publish({ ...base, state: "running", progress: of("writing", (total * number) / ticks) });
      clock.setTimeout(() => tick(number + 1), writeMs / ticks, life);
    };
    tick(0);
    return operations.get(operationId) as ReportedOperation;
  }

  async function* watch(operationId: OperationId, signal?: AbortSignal): AsyncGenerator<ReportedOperation> {
    await reach(signal);
    const watched = instance;
    let last: ReportedOperation | undefined;
    for (;;) {
      if (signal?.aborted) throw error("aborted", "cancelled", "given up");
      if (instance !== watched || !connected()) throw error("unreachable", "node-silent", "the stream broke");
      const operation = operations.get(operationId);
      if (operation === undefined) throw error("not-found", "invalid", `no operation ${operationId}`);
      if (operation !== last) {
        last = operation;
        yield operation;
        if (operation.state !== "running") return;
      }
      await new Promise<void>((resolve) => {
        const done = (): void => {
          watchers.delete(done);
          signal?.removeEventListener("abort", done);
          resolve();
        };
        watchers.add(done);
        signal?.addEventListener("abort", done, { once: true });
      });
    }
  }

  function connect(): AgentPort {
    return {
      async getNode(signal) {
        await reach(signal);
        return { facts: facts(), agent: agentInfo() };
      },
      async retryTasks(_bootId, signal) {
        await reach(signal);
      },
      async reportBoard(signal) {
        await reach(signal);
        return [{ name: "/proc/version", value: "Linux version 6.1" }];
      },
      async listBlockDevices(signal) {
        await reach(signal);
        return machine.devices;
      },
      readDisk: () => Promise.reject(new Error("no reimage reads a disk")),
      async startOperation(operationId, spec, signal) {
        await reach(signal);
        const known = operations.get(operationId);
        if (known !== undefined) {
          if (JSON.stringify(known.spec) === JSON.stringify(withoutSystem(spec))) return known;
          throw error("id-taken", "invalid", `operation ${operationId} is another one`);
        }
        if (up?.role !== "netboot" || spec.kind !== "write-image") throw error("refused", "invalid", "not here");
        if (machine.faults.guard) throw error("refused", machine.faults.guard, "the guard refuses");
        const owner = [...operations.values()].find(({ state }) => state === "running");
        if (owner !== undefined) {
          const busy = new Failure("device-busy", "another operation owns the device", { found: owner.id });
          throw new AgentError("refused", busy, undefined);
        }
        const { [machine.faults.drops ?? "drops"]: _, ...understood } = spec as typeof spec & { drops?: undefined };
        return startWrite(operationId, understood as typeof spec);
      },
      watchOperation: watch,
      async cancelOperation(operationId, signal) {
        await reach(signal);
        const operation = operations.get(operationId);
        if (operation === undefined) throw error("not-found", "invalid", `no operation ${operationId}`);
        if (operation.state !== "running") return operation;
        writes.get(operationId)?.abort();
        machine.history.push("write-cancelled");
        const failure = new Failure("cancelled", "cancelled");
        publish({ ...operation, state: "cancelled", failure, diskOutcome: "no-table", endedAt: clock.now() });
        return operations.get(operationId) as ReportedOperation;
      },
      async reboot(expectedBootId, signal) {
        await reach(signal);
        if (expectedBootId !== up?.bootId) throw error("refused", "invalid", `this is not boot ${expectedBootId}`);
        if (machine.faults.rebootRefusal) throw error("refused", "internal", machine.faults.rebootRefusal);
        machine.history.push("reboot");
        const { signal: powered } = power;
        clock.setTimeout(
          () => {
            goDown();
            if (!machine.faults.staysDown) boot();
          },
          1000,
          powered,
        );
        if (machine.faults.losesRebootAnswers) throw error("unreachable", "node-silent", "the answer was lost");
      },
      close() {},
    };
  }

  const machine: FakeMachine = {
    id,
    address,
    history: [],
    model: "Raspberry Pi 4 Model B Rev 1.4",
    card: "blank",
    specs: [],
    devices: [disk({ sizeBytes: 16 * 2 ** 30 })],
    capabilities,
    tasks: undefined,
    faults: { writes: [] },
    powerOn() {
      if (power.signal.aborted) boot();
    },
    powerOff: goDown,
    powerCycle() {
      goDown();
      boot();
    },
    killAgent() {
      if (instance === undefined) return;
      agentLife.abort();
      instance = undefined;
      wake();
      clock.setTimeout(startAgent, 3000, power.signal);
    },
    cutNetwork(ms) {
      networkBackAt = clock.now() + ms;
      wake();
      clock.setTimeout(wake, ms, new AbortController().signal);
    },
    isUp: () => instance !== undefined,
    answers: () => up !== undefined && connected() && !machine.faults.mute,
    bootId: () => up?.bootId ?? "",
    role: () => up?.role,
    connect,
    registerAgain: register,
  };
  return machine;
}
