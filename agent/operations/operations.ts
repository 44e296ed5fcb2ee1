import type { Logger } from "pino";
import { Failure } from "../../proto/failure.ts";
import { limits } from "../../proto/limits.ts";
import type { Operation, OperationId } from "../../proto/operation/operation.ts";
import type { OperationSpec } from "../../proto/operation/operation-spec.ts";
import type { Progress } from "../../proto/operation/progress.ts";
import { withoutSystem } from "../../proto/operation/without-system.ts";
import type { AgentRole } from "../../proto/system/agent-program.ts";
import { type Bell, createBell } from "../../proto/time/bell.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { every } from "../../proto/time/every.ts";
import type { DiskOutcome } from "../../proto/words/disk-outcome.ts";
import { devicesOverlap } from "./devices-overlap.ts";
import type { Executor, Executors } from "./executor.ts";
import { changesDevice, requirePermission } from "./permission.ts";
import { createProgressMeter, type ProgressMeter } from "./progress-meter.ts";
import { sameSpec } from "./same-spec.ts";

/** The result of a request to start an operation. */
export type StartResult =
  | { readonly kind: "started" | "existing"; readonly operation: Operation }
  /** The id belongs to this operation, which has another spec. */
  | { readonly kind: "id-taken"; readonly operation: Operation };

/** Every operation of this agent process. */
export interface Operations {
  /**
   * Starts an operation, or finds the one that a repeated request means. Rejects with the Failure for which the role,
   * another owner of the device ("device-busy", with its operation as what was found), too many running ones
   * ("device-busy") or the guard refuses it; nothing then remains of it.
   */
  start(id: OperationId, spec: OperationSpec): Promise<StartResult>;
  get(id: OperationId): Operation | undefined;
  /**
   * The operation as it is now, then again at every change of phase or state and otherwise at most four times a
   * second, until it has ended or the signal aborts. A slow reader misses snapshots, never the last.
   * Undefined for an unknown id.
   */
  watch(id: OperationId, signal?: AbortSignal): AsyncIterable<Operation> | undefined;
  /**
   * Cancels and resolves with the operation once it has stopped; undefined for an unknown id, and for one that had not
   * begun: it never will. A start that comes after its own cancellation is refused.
   */
  cancel(id: OperationId): Promise<Operation | undefined>;
  /** All that run and the last hundred that ended, oldest first. */
  list(): readonly Operation[];
  /** A running operation that changes a device, if there is one. */
  runningChange(): Operation | undefined;
  /**
   * Keeps every operation off a device, and other readers, until the returned function is called. Throws the Failure
   * for which `start` would refuse work on it.
   */
  hold(device: string): () => void;
  /** Refuses to start anything from now on, for the reason given, until the returned function is called. */
  refuse(reason: string): () => void;
  /** Cancels everything, refuses what comes later, and resolves when all have stopped. */
  stop(reason: string): Promise<void>;
}

const tickMs = 250;
const endedKept = 100;
/** How many cancellations that came before their starts are remembered; a start is on its way for seconds at most. */
const cancelledAheadKept = 1000;

/** A device that is being read. */
interface Hold {
  readonly device: string;
}

interface Entry {
  operation: Operation;
  admitted: boolean;
  readonly meter: ProgressMeter;
  readonly abort: AbortController;
  readonly admission: Promise<void>;
  ended: Promise<void>;
  /** Rings when `operation` is replaced by a newer snapshot. */
  readonly changed: Bell;
}

/** Makes the registry of operations. */
export function createOperations(parts: {
  readonly executors: Executors;
  readonly role: AgentRole;
  /** For dates. */
  readonly clock: Pick<Clock, "now">;
  /** For speeds, and the time between two looks at what runs. */
  readonly monotonicClock: Clock;
  readonly log: Logger;
}): Operations {
  const { executors, role, clock, monotonicClock, log } = parts;
  const entries = new Map<OperationId, Entry>();
  const held = new Set<Hold>();
  const cancelledAhead = new Set<OperationId>();
  let refusal: string | undefined;

  const publish = (entry: Entry, changes: Partial<Operation> = {}): void => {
    entry.operation = { ...entry.operation, progress: entry.meter.snapshot(monotonicClock.now()), ...changes };
    entry.changed.ring();
  };

  const run = async (entry: Entry): Promise<void> => {
    const { id, spec } = entry.operation;
    const { meter, abort } = entry;
    const operationLog = log.child({ operation: id, kind: spec.kind });
    const now = (): number => monotonicClock.now();
    const ended = new AbortController();
    const look = (): void => {
      const { progress } = entry.operation;
      const next = meter.snapshot(now());
      tellStall(operationLog, progress, next);
      if (!sameProgress(progress, next)) publish(entry);
    };
    every(monotonicClock, tickMs, look, ended.signal);
    operationLog.info({ spec: withoutSystem(spec) }, "operation started");
    let end: Pick<Operation, "state" | "failure" | "writeResult">;
    let diskOutcome: DiskOutcome | undefined;
    try {
      const writeResult = await executorOf(executors, spec).run(spec, {
        signal: abort.signal,
        log: operationLog,
        leaves(outcome) {
          diskOutcome = outcome;
        },
        progress: {
          enter(phase, totals = {}) {
            meter.enter(phase, totals, now());
            operationLog.info({ phase }, "phase entered");
            publish(entry);
          },
          add: (counter, bytes) => meter.add(counter, bytes, now()),
          resumed: () => meter.resumed(),
          begin: (stage) => meter.begin(stage, now()),
          end: (stage, bytes) => meter.end(stage, bytes, now()),
          askDisk: () => meter.askDisk(now()),
          rewritten: (bytes) => meter.rewritten(bytes),
        },
      });
      end = { state: "succeeded", ...(writeResult && { writeResult }) };
    } catch (error) {
      end = abort.signal.aborted
        ? { state: "cancelled", failure: cancellation(abort.signal, error) }
        : { state: "failed", failure: Failure.from(error) };
      operationLog.warn({ err: error, state: end.state }, "operation ended early");
    } finally {
      ended.abort();
    }
    publish(entry, { ...end, ...(diskOutcome && { diskOutcome }), endedAt: clock.now() });
    operationLog.info({ state: end.state }, "operation ended");
    forgetOldest(entries);
  };

  const begin = async (id: OperationId, spec: OperationSpec): Promise<StartResult> => {
    const abort = new AbortController();
    const meter = createProgressMeter();
    const startedAtMs = clock.now();
    // The entry stands while the guard looks at the device, so that nobody else gets the id or the device in the
    // meantime.
    const entry: Entry = {
      operation: {
        id,
        spec,
        state: "running",
        progress: meter.snapshot(monotonicClock.now()),
        startedAt: startedAtMs,
      },
      admitted: false,
      meter,
      abort,
      admission: executorOf(executors, spec).admit(spec, abort.signal),
      ended: Promise.resolve(),
      changed: createBell(),
    };
    entries.set(id, entry);
    try {
      await entry.admission;
      if (refusal !== undefined) throw refused(refusal);
      abort.signal.throwIfAborted();
    } catch (error) {
      entries.delete(id);
      throw error;
    }
    entry.admitted = true;
    const { operation } = entry;
    entry.ended = run(entry);
    return { kind: "started", operation };
  };

  const admitted = (id: OperationId): Entry | undefined => {
    const entry = entries.get(id);
    return entry?.admitted ? entry : undefined;
  };

  return {
    async start(id, spec) {
      const existing = entries.get(id);
      if (existing !== undefined) {
        if (!sameSpec(existing.operation.spec, spec)) return { kind: "id-taken", operation: existing.operation };
        await existing.admission;
        return { kind: "existing", operation: existing.operation };
      }
      if (refusal !== undefined) throw refused(refusal);
      if (cancelledAhead.has(id)) throw refused(`${id} was cancelled before it began`);
      requirePermission(role, spec.kind);
      if ("device" in spec) requireFreeDevice(entries.values(), held, spec.device);
      requireRoom(entries.values(), spec);
      return begin(id, spec);
    },
    get: (id) => admitted(id)?.operation,
    watch(id, signal) {
      const entry = admitted(id);
      return entry && watchEntry(entry, signal);
    },
    async cancel(id) {
      const entry = entries.get(id);
      entry?.abort.abort(new Failure("cancelled", "cancelled on request"));
      // Work that was cancelled while the guard was checking must not begin.
      await entry?.admission.catch(() => undefined);
      if (!entry?.admitted) {
        cancelledAhead.add(id);
        for (const oldest of [...cancelledAhead].slice(0, -cancelledAheadKept)) cancelledAhead.delete(oldest);
        return undefined;
      }
      await entry.ended;
      return entry.operation;
    },
    list: () => [...entries.values()].filter((entry) => entry.admitted).map((entry) => entry.operation),
    runningChange: () =>
      [...entries.values()]
        .map((entry) => entry.operation)
        .find(({ state, spec }) => state === "running" && changesDevice[spec.kind]),
    hold(device) {
      requirePermission(role, "read-disk");
      if (refusal !== undefined) throw refused(refusal);
      requireFreeDevice(entries.values(), held, device);
      if (held.size >= limits.captures.readers.most)
        throw new Failure("device-busy", `this node has ${held.size} disks read already: wait until one is done`);
      const hold = { device };
      held.add(hold);
      return () => void held.delete(hold);
    },
    refuse(reason) {
      refusal = reason;
      return () => {
        refusal = undefined;
      };
    },
    async stop(reason) {
      refusal = reason;
      for (const entry of entries.values()) entry.abort.abort(new Failure("cancelled", reason));
      await Promise.all([...entries.values()].map((entry) => entry.ended));
    },
  };
}

async function* watchEntry(entry: Entry, signal: AbortSignal | undefined): AsyncGenerator<Operation> {
  let seen: Operation | undefined;
  while (signal?.aborted !== true) {
    const { operation } = entry;
    if (operation === seen) {
      await entry.changed.next(signal);
      continue;
    }
    seen = operation;
    yield operation;
    if (operation.state !== "running") return;
  }
}

function executorOf(executors: Executors, spec: OperationSpec): Executor<OperationSpec> {
  // The table pairs every kind with the executor of its own spec, which the compiler cannot follow through an index.
  return executors[spec.kind] as Executor<OperationSpec>;
}

function requireFreeDevice(entries: Iterable<Entry>, held: Iterable<Hold>, device: string): void {
  for (const { operation } of entries) {
    if (operation.state !== "running" || !("device" in operation.spec)) continue;
    if (!devicesOverlap(operation.spec.device, device)) continue;
    throw new Failure(
      "device-busy",
      `${device} is in use by operation ${operation.id} (${operation.spec.kind} on ` +
        `${operation.spec.device}): wait until it has ended, or cancel it`,
      { found: operation.id },
    );
  }
  // Without an operation to name: whoever asks again later, as the controller does, gets the device when it is free.
  for (const hold of held)
    if (devicesOverlap(hold.device, device))
      throw new Failure("device-busy", `${device} is being read, to make an image of it: wait until that is done`);
}

/** Those that the guard still looks at count, too. */
function requireRoom(entries: Iterable<Entry>, spec: OperationSpec): void {
  const running = [...entries].map(({ operation }) => operation).filter(({ state }) => state === "running");
  const withoutDevice = running.filter((operation) => !("device" in operation.spec));
  const inTheWay =
    !("device" in spec) && withoutDevice.length >= limits.operations.runningWithoutDevice.most
      ? withoutDevice
      : running.length >= limits.operations.running.most
        ? running
        : [];
  const [oldest] = inTheWay;
  if (oldest === undefined) return;
  throw new Failure(
    "device-busy",
    `this node runs ${inTheWay.length} operations, no more run at one time (the oldest is ${oldest.id}, ` +
      `${oldest.spec.kind}): wait until one has ended, or cancel one`,
  );
}

function sameProgress(one: Progress, other: Progress): boolean {
  return (
    one.bytesPerSecond === other.bytesPerSecond &&
    one.resumed === other.resumed &&
    one.stalledMs === other.stalledMs &&
    one.rewrittenBytes === other.rewrittenBytes &&
    one.stages.every(({ bytes }, index) => bytes === other.stages[index]?.bytes) &&
    (["read", "written", "skipped", "verified", "compared"] as const).every(
      (counter) => one[counter].done === other[counter].done,
    )
  );
}

/** Logs once when a disk stalls, and once when it continues. */
function tellStall(log: Logger, before: Progress, after: Progress): void {
  if (after.stalledMs !== undefined && before.stalledMs === undefined) {
    log.warn({ stalledMs: after.stalledMs }, "the disk has not answered a request for a long time; it may be worn out");
  }
  if (after.stalledMs === undefined && before.stalledMs !== undefined) {
    log.warn({ stalledMs: before.stalledMs }, "the disk is answering again");
  }
}

/** An executor that could not clean up after a cancellation says so by another failure; that must not be lost. */
function cancellation({ reason }: AbortSignal, error: unknown): Failure {
  const why = Failure.from(reason);
  if (!(error instanceof Failure) || error.reason === "cancelled") return why;
  return new Failure("cancelled", `${why.message}; while it stopped: ${error.message}`, {
    ...error.evidence,
    cause: error,
  });
}

function refused(reason: string): Failure {
  return new Failure("in-use", `cannot start an operation: ${reason}`);
}

function forgetOldest(entries: Map<OperationId, Entry>): void {
  const ended = [...entries].filter(([, entry]) => entry.operation.state !== "running");
  for (const [id] of ended.slice(0, Math.max(0, ended.length - endedKept))) entries.delete(id);
}
