import type { AgentInfo } from "../../proto/node/agent-info.ts";
import type { NodeFacts } from "../../proto/node/node-facts.ts";
import { sameReports } from "../../proto/system/tasks/report-tasks.ts";
import { pause } from "../../proto/time/pause.ts";
import { type AgentRun, startAgent, type WriteFault } from "./agent-run.ts";
import { type Card, deviceOf, rootFoundBy, withNewDiskId } from "./card.ts";
import type { Recorder } from "./history/history.ts";
import { imageOfDigest } from "./images.ts";
import type { Host } from "./network.ts";
import type { Random } from "./random.ts";
import { startTasks, type TaskFault, type TaskRun } from "./task-run.ts";
import type { WorldClock } from "./world-clock.ts";

/** What boards reach over the network. */
export interface Outside {
  /** DHCP; undefined while the network is cut. */
  lease(board: Board): string | undefined;
  addressOf(board: Board): string;
  leave(board: Board): void;
  /** A file by TFTP: its text, or undefined when nobody gave it. */
  fetch(board: Board, path: string): Promise<string | undefined>;
  /** Resolves with the wait until the next heartbeat; throws while nobody answers. */
  register(board: Board, agent: AgentRun): Promise<number>;
  /** "unknown" when the controller does not know this agent. */
  heartbeat(board: Board, agent: AgentRun): Promise<number | "unknown">;
}

/** A Pi: powered or not, with a card in it, and what runs on it. */
export interface Board extends Host {
  readonly serial: string;
  /** Which card is in it. */
  card: Card;
  /** A USB disk, with data that nobody named. */
  readonly disk: Card | undefined;
  readonly agent: AgentRun | undefined;
  isOn(): boolean;
  /** What runs now and since when, in milliseconds of the world's clock. */
  readonly stands: { readonly in: "agent" | "card" | "nothing"; readonly since: number; readonly boot: string };
  readonly writeFaults: WriteFault[];
  readonly taskFaults: TaskFault[];
  powerOn(): void;
  powerOff(): void;
  /** Its agent's process dies and is started again. */
  restartAgent(): void;
}

const romMs = 6_000;
const fileMs = 1_500;
const kernelMs = 8_000;
const servicesMs = 12_000;
const panicMs = 90_000;

export function createBoard(
  about: {
    readonly name: string;
    readonly mac: string;
    readonly serial: string;
    card: Card;
    readonly disk?: Card;
    /** Whether its agents are of an older Pallet. */
    readonly isOld?: boolean;
  },
  {
    clock,
    random,
    recorder,
    outside,
  }: { readonly clock: WorldClock; readonly random: Random; readonly recorder: Recorder; readonly outside: Outside },
): Board {
  const { name, mac, serial } = about;
  const note = recorder.note;
  let power = new AbortController();
  power.abort();
  let present = new AbortController();
  let process = new AbortController();
  let boots = 0;
  let runs = 0;
  let agent: AgentRun | undefined;
  let stands: Board["stands"] = { in: "nothing", since: clock.now(), boot: "" };
  let system: Pick<Parameters<typeof startAgent>[0], "role" | "root" | "installed"> | undefined;
  let tasks: TaskRun | undefined;
  let tasksChanged = (): void => undefined;

  const cards = (): ReadonlyMap<string, Card> =>
    new Map([["/dev/mmcblk0", board.card], ...(board.disk ? ([["/dev/sda", board.disk]] as const) : [])]);

  function end(why: string): void {
    if (stands.boot !== "") note({ what: "down", board: name, boot: stands.boot, why });
    process.abort();
    present.abort();
    agent = undefined;
    system = undefined;
    tasks = undefined;
    stands = { in: "nothing", since: clock.now(), boot: "" };
    outside.leave(board);
  }

  /** Everything from the reset on. */
  function begin(): void {
    present = new AbortController();
    const { signal } = present;
    run(signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  function restart(why: string): void {
    if (power.signal.aborted) return;
    end(why);
    begin();
  }

  async function run(signal: AbortSignal): Promise<void> {
    await pause(clock, romMs + random.between(0, 2_000), signal);
    const config = await untilGiven(`pxelinux.cfg/01-${mac.replaceAll(":", "-")}`, signal);
    const { kernel, initrd, words, label } = parseConfig(config);
    const imageOfKernel = imageOfDigest(/^\/?images\/([0-9a-f]+)\//.exec(kernel)?.[1] ?? "")?.name;
    note({ what: "config", board: name, label, ...(imageOfKernel !== undefined && { image: imageOfKernel }) });
    for (const file of [initrd, kernel]) {
      if (file === undefined) continue;
      await pause(clock, fileMs, signal);
      // U-Boot gives up on a boot of which a file is missing, and resets.
      if ((await outside.fetch(board, file)) === undefined || signal.aborted) {
        await pause(clock, romMs, signal);
        return restart("a boot file was missing");
      }
    }
    await pause(clock, kernelMs + random.between(0, 4_000), signal);
    if (imageOfKernel === undefined) return up("agent", undefined, signal);
    const found = rootFoundBy(words, board.card);
    if (found === undefined) {
      note({ what: "stuck", board: name, why: `the kernel of ${imageOfKernel} finds no root` });
      await pause(clock, panicMs, signal);
      return restart("panic");
    }
    if (words.includes("resize")) {
      await pause(clock, servicesMs, signal);
      board.card.content = withNewDiskId(
        found,
        random
          .between(2 ** 28, 2 ** 31)
          .toString(16)
          .padStart(8, "0"),
      );
      return restart("its first boot restarts it");
    }
    return up("card", imageOfKernel, signal);
  }

  async function up(where: "agent" | "card", kernelOf: string | undefined, signal: AbortSignal): Promise<void> {
    boots += 1;
    const boot = `${name}-boot-${boots}`;
    stands = { in: where, since: clock.now(), boot };
    note({ what: "up", board: name, boot, system: where, ...(kernelOf !== undefined && { kernelOf }) });
    await pause(clock, where === "agent" ? 2_000 : servicesMs + random.between(0, 10_000), signal);
    const { content } = board.card;
    const root: NodeFacts["root"] =
      where === "agent"
        ? { source: "10.0.0.1:/srv/rootfs", filesystemType: "overlay", disk: "" }
        : { source: "/dev/mmcblk0p2", filesystemType: "ext4", disk: "/dev/mmcblk0" };
    const stamp = where === "card" && typeof content !== "string" ? content.stamp : undefined;
    system = { role: where === "agent" ? "netboot" : "resident", root, ...(stamp && { installed: stamp }) };
    // As systemd does, beside the agent.
    if (where === "card" && typeof content !== "string" && content.tasks !== undefined)
      tasks = startTasks(content.tasks, {
        about: { board: name, card: board.card.name, reimage: stamp?.reimageId ?? "" },
        ...{ life: signal, clock, random: random.fork(`tasks ${boots}`), recorder },
        nextFault: () => board.taskFaults.shift(),
        changed: () => tasksChanged(),
      });
    startProcess();
  }

  function startProcess(): void {
    if (system === undefined) return;
    process = new AbortController();
    const life = AbortSignal.any([process.signal, present.signal]);
    runs += 1;
    const own = startAgent(
      {
        board: name,
        mac,
        serial,
        bootId: stands.boot,
        ...system,
        isOld: about.isOld ?? false,
        address: () => outside.addressOf(board),
        cards,
        devices: () => [...cards().values()].map(deviceOf),
        reboot: () => clock.setTimeout(() => restart("it was told to reboot"), 1_000, present.signal),
        nextWriteFault: () => board.writeFaults.shift(),
        tasks: () => tasks,
      },
      { instanceId: `${name}-run-${runs}`, life, clock, random: random.fork(`run ${runs}`), recorder },
    );
    agent = own;
    stayRegistered(own).catch((error: unknown) => {
      if (!own.life.aborted) throw error;
    });
  }

  /** As agent/registration does: registers, sends heartbeats, and registers again when it is not known or its tasks have gone on. */
  async function stayRegistered(own: AgentRun): Promise<void> {
    let isKnown = false;
    let told: AgentInfo["tasks"];
    let failures = 0;
    for (;;) {
      let waitMs: number;
      try {
        const now = own.info().tasks;
        const isNews: boolean = !isKnown || !sameReports(told, now);
        const next: number | "unknown" = isNews
          ? await outside.register(board, own)
          : await outside.heartbeat(board, own);
        isKnown = next !== "unknown";
        told = now;
        failures = 0;
        waitMs = next === "unknown" ? 0 : next + random.between(-500, 500);
      } catch {
        failures += 1;
        waitMs = Math.min(15_000, 1_000 * 2 ** failures);
      }
      if (own.life.aborted) return;
      await untilNews(Math.max(50, waitMs), own.life);
      if (own.life.aborted) return;
    }
  }

  /** That long, or until its tasks have gone on; never when `life` ends before. */
  function untilNews(ms: number, life: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const stop = clock.setTimeout(resolve, ms, life);
      tasksChanged = () => {
        stop();
        resolve();
      };
    });
  }

  /** Firmware asks DHCP and TFTP again and again. */
  async function untilGiven(path: string, signal: AbortSignal): Promise<string> {
    for (;;) {
      const address = outside.lease(board);
      const text = address === undefined ? undefined : await outside.fetch(board, path);
      signal.throwIfAborted();
      if (text !== undefined) return text;
      await pause(clock, 10_000, signal);
    }
  }

  const board: Board = {
    name,
    mac,
    serial,
    card: about.card,
    disk: about.disk,
    get agent() {
      return agent;
    },
    isOn: () => !power.signal.aborted,
    get stands() {
      return stands;
    },
    writeFaults: [],
    taskFaults: [],
    powerOn() {
      if (!power.signal.aborted) return;
      power = new AbortController();
      note({ what: "power", board: name, on: true });
      begin();
    },
    powerOff() {
      if (power.signal.aborted) return;
      power.abort();
      note({ what: "power", board: name, on: false });
      end("its power went off");
    },
    restartAgent() {
      if (agent === undefined) return;
      process.abort();
      agent = undefined;
      clock.setTimeout(startProcess, 3_000, present.signal);
    },
  };
  return board;
}

/** What U-Boot takes from a pxelinux.cfg file with one label. */
function parseConfig(text: string): {
  readonly label: string;
  readonly kernel: string;
  readonly initrd: string | undefined;
  readonly words: readonly string[];
} {
  const value = (keyword: string): string | undefined =>
    new RegExp(`^\\s*${keyword}\\s+(.+)$`, "m").exec(text)?.[1]?.trim();
  const kernel = value("KERNEL");
  if (kernel === undefined) throw new Error(`this boot config has no kernel:\n${text}`);
  return { label: value("LABEL") ?? "", kernel, initrd: value("INITRD"), words: value("APPEND")?.split(/\s+/) ?? [] };
}
