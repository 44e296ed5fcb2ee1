import { pino } from "pino";
import type { Executors } from "../../agent/operations/executor.ts";
import { createOperations, type Operations } from "../../agent/operations/operations.ts";
import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { judgeDisk } from "../../proto/disk/judge-disk.ts";
import { Failure } from "../../proto/failure.ts";
import type { AgentInfo } from "../../proto/node/agent-info.ts";
import type { NodeFacts } from "../../proto/node/node-facts.ts";
import { capabilities } from "../../proto/operation/capabilities.ts";
import type { OperationSpec } from "../../proto/operation/operation-spec.ts";
import type { WriteResult } from "../../proto/operation/write-result.ts";
import type { AgentRole } from "../../proto/system/agent-program.ts";
import type { InstalledSystem } from "../../proto/system/installed-system.ts";
import type { Clock } from "../../proto/time/clock.ts";
import { pause } from "../../proto/time/pause.ts";
import { type Card, contentOf, writtenBy } from "./card.ts";
import type { Recorder } from "./history/history.ts";
import type { Random } from "./random.ts";
import type { TaskRun } from "./task-run.ts";

type WriteSpec = Extract<OperationSpec, { kind: "write-image" }>;

/** What an agent knows of the node that it runs on. */
export interface AgentHost {
  readonly board: string;
  readonly mac: string;
  readonly serial: string;
  readonly bootId: string;
  readonly role: AgentRole;
  /** The device of the running system. */
  readonly root: NodeFacts["root"];
  readonly installed?: InstalledSystem;
  /** Whether it is of before agents told what they can, and what a write left. */
  readonly isOld: boolean;
  address(): string;
  /** By path. */
  cards(): ReadonlyMap<string, Card>;
  devices(): readonly BlockDevice[];
  reboot(): void;
  /** What will become of the next write. */
  nextWriteFault(): WriteFault | undefined;
  /** Of the tasks of the system that it runs in; undefined where there are none. */
  tasks(): TaskRun | undefined;
}

export type WriteFault = "fetch-failed" | "device-error" | "stalls" | "not-customised";

/** One run of an agent. */
export interface AgentRun {
  readonly bootId: string;
  readonly instanceId: string;
  readonly role: AgentRole;
  readonly isOld: boolean;
  /** Aborts when it is over. */
  readonly life: AbortSignal;
  readonly operations: Operations;
  facts(): NodeFacts;
  info(): AgentInfo;
  devices(): readonly BlockDevice[];
  /** Throws a Failure when that is not its boot. */
  reboot(expectedBootId: string): void;
  /** Throws a Failure when that is not its boot, or no task has failed. */
  retryTasks(expectedBootId: string): void;
}

const silent = pino({ level: "silent" });
/** Time to fetch the manifest, before anything is erased. */
const startMs = 3_000;
const pieces = 10;

/** Starts an agent: the real operations, one writer per device and all, over a card that is a model. */
export function startAgent(
  host: AgentHost,
  {
    instanceId,
    life,
    clock: worldClock,
    random,
    recorder,
  }: {
    readonly instanceId: string;
    readonly life: AbortSignal;
    readonly clock: { of(life: AbortSignal): Clock };
    readonly random: Random;
    readonly recorder: Recorder;
  },
): AgentRun {
  const clock = worldClock.of(life);
  const startedAt = clock.now();
  const unable = {
    admit: async () => {
      throw new Failure("unsupported", "the world's agents only write");
    },
    run: async () => undefined,
  };

  async function write(
    spec: WriteSpec,
    { signal, progress, leaves }: Parameters<Executors["write-image"]["run"]>[1],
  ): Promise<WriteResult> {
    const card = host.cards().get(spec.device);
    if (card === undefined) throw new Failure("not-a-disk", `there is no ${spec.device}`);
    const reimage = spec.customisation?.stamp?.reimageId ?? "";
    const operation = `${host.board}/${instanceId}/${reimage}`;
    const about = { operation, reimage };
    const fault = host.nextWriteFault();
    recorder.note({ what: "operation", board: host.board, disk: spec.device, card: card.name, ...about });
    let how = "cut off";
    const stopped = AbortSignal.any([signal, life]);
    stopped.addEventListener("abort", () => {
      if (how === "cut off")
        recorder.note({ what: "operation-ended", operation, how: life.aborted ? how : "cancelled" });
    });
    const fail = (reason: "fetch-failed" | "device-error" | "tool-failed"): never => {
      how = reason;
      recorder.note({ what: "operation-ended", operation, how });
      throw new Failure(reason, `the write failed: ${reason}`);
    };
    leaves("untouched");
    progress.enter("starting");
    await pause(clock, startMs, stopped);
    if (fault === "fetch-failed" && random.chance(0.5)) fail("fetch-failed");
    leaves("uncertain");
    card.content = "torn";
    recorder.note({ what: "touched", card: card.name, ...about });
    await pause(clock, 200, stopped);
    leaves("no-table");
    const piece = Math.floor(spec.source.sizeBytes / pieces);
    progress.enter("writing", { written: spec.source.sizeBytes });
    for (let done = 0; done < pieces; done += 1) {
      await pause(clock, random.between(1_500, 3_000), stopped);
      if (fault === "stalls" && done > pieces / 2) await pause(clock, 24 * 3_600_000, stopped);
      if ((fault === "fetch-failed" || fault === "device-error") && done > pieces / 2) fail(fault);
      progress.add("written", piece);
    }
    progress.enter("customising");
    await pause(clock, random.between(100, 1_500), stopped);
    if (fault === "not-customised") fail("tool-failed");
    progress.enter("writing-table");
    await pause(clock, 500, stopped);
    card.content = writtenBy(spec);
    leaves("image");
    how = "succeeded";
    recorder.note({ what: "whole", card: card.name, content: contentOf(card), ...about });
    recorder.note({ what: "operation-ended", operation, how });
    return { ids: [], ...(spec.growth && { growth: { partitionBytes: card.sizeBytes, filesystemGrown: true } }) };
  }

  const operations = createOperations({
    executors: {
      "write-image": {
        async admit({ device, source }) {
          await pause(clock, random.between(100, 1_000), life);
          const verdict = judgeDisk(host.devices(), { path: device, minBytes: source.sizeBytes, root: host.root });
          if (verdict instanceof Failure) throw verdict;
        },
        run: write,
      },
      "verify-image": unable,
      "make-filesystem": unable,
      wipe: unable,
      unmount: unable,
      identify: unable,
    },
    role: host.role,
    clock,
    monotonicClock: clock,
    log: silent,
  });

  return {
    bootId: host.bootId,
    instanceId,
    role: host.role,
    isOld: host.isOld,
    life,
    operations,
    facts: () => ({
      model: "Raspberry Pi 4 Model B Rev 1.4",
      serial: host.serial,
      interfaces: [{ name: "eth0", mac: host.mac, addresses: [host.address()] }],
      memoryBytes: 2 ** 32,
      cpuCount: 4,
      cpuModel: "Cortex-A72",
      kernel: "6.12",
      architecture: "arm64",
      bootId: host.bootId,
      root: host.root,
      hostname: host.board,
      uptimeSeconds: Math.round((clock.now() - startedAt) / 1000),
    }),
    info: () => ({
      version: "world",
      role: host.role,
      instanceId,
      port: 7710,
      ...(!host.isOld && { capabilities }),
      ...(host.installed !== undefined && { installed: host.installed }),
      ...tasksOf(host),
    }),
    devices: host.devices,
    reboot(expectedBootId) {
      if (expectedBootId !== host.bootId) {
        throw new Failure("invalid", `this is not boot ${expectedBootId}; it is ${host.bootId}`);
      }
      const writer = operations.runningChange();
      if (writer !== undefined) throw new Failure("device-busy", `operation ${writer.id} is running`);
      operations.refuse("the node is about to reboot");
      host.reboot();
    },
    retryTasks(expectedBootId) {
      if (expectedBootId !== host.bootId) {
        throw new Failure("invalid", `this is not boot ${expectedBootId}; it is ${host.bootId}`);
      }
      const tasks = host.tasks();
      if (tasks?.hasFailed() !== true) throw new Failure("invalid", "no task of this system has failed");
      tasks.retry();
    },
  };
}

function tasksOf(host: AgentHost): Pick<AgentInfo, "tasks"> {
  const tasks = host.isOld ? undefined : host.tasks()?.report();
  return tasks === undefined ? {} : { tasks };
}
