import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { BootFiles } from "../../controller/boot/boot-files.ts";
import type { HookMoment } from "../../controller/hooks/hook.ts";
import { HeartbeatRequest, RegisterRequest } from "../../proto/gen/pallet/v1/enrollment.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import { agentInfoToWire, factsToWire } from "../../proto/node/node-codec.ts";
import { pause } from "../../proto/time/pause.ts";
import { createConnections } from "./agent-connections.ts";
import { type Board, createBoard, type Outside } from "./board.ts";
import { callDoor, isNotFound } from "./call-door.ts";
import { type Card, contentOf } from "./card.ts";
import { type ControllerProcess, startController } from "./controller-process.ts";
import { createRecorder, type Recorder } from "./history/history.ts";
import { createHookRuns, type HookFault, hooks, renderHooks } from "./hook-runs.ts";
import { createWorldImages } from "./images.ts";
import { createNetwork, type Network } from "./network.ts";
import { observeStore, type StoreFaults } from "./observe-store.ts";
import { createWorldProfiles, leaks, type ProfileEdition, tasksOf } from "./profiles.ts";
import { createRandom } from "./random.ts";
import { createWorldClock, type WorldClock } from "./world-clock.ts";

/** How the network treats messages. Rates from 0 to 1. */
export interface Weather {
  /** Answers of agents that are lost. */
  loss: number;
  /** Messages to the controller that come seconds late, when the sender has long tried again. */
  late: number;
  /** Messages to the controller that come twice. */
  doubled: number;
}

/** A rack and its management machine, in a time of their own. */
export interface World {
  readonly clock: WorldClock;
  readonly recorder: Recorder;
  readonly network: Network;
  readonly boards: readonly Board[];
  readonly weather: Weather;
  readonly faults: StoreFaults;
  readonly hookFaults: { readonly when: HookMoment; readonly fault: HookFault }[];
  /** The operator's profiles say this from now on. */
  editProfiles(edition: ProfileEdition): void;
  /** Looks for secrets of the profiles in what the controller keeps. */
  lookForLeaks(): void;
  /** The controller, while it runs. */
  controller(): ControllerProcess | undefined;
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(): void;
  /** Only while it does not run. */
  loseDatabase(): void;
  /** The management machine's clock is set, by so many milliseconds; what has the world's time does not notice. */
  setClock(byMs: number): void;
  addBoard(about: Parameters<typeof createBoard>[0]): Board;
  /** Nothing gets to or from the board until then, in milliseconds of the world's clock. */
  cut(board: Board, until: number): void;
  /** Somebody at the board's address asks for this boot file. */
  fetchAs(board: Board, file: string): Promise<unknown>;
  close(): void;
}

/** So long tasks may be without news, in milliseconds: more than one of them takes. */
const configureTimeoutMs = 15 * 60_000;
/** Where nothing waits for a disk. */
const tmpfs = ["/dev/shm", os.tmpdir()];

/** @param options how many addresses DHCP has, and what the operator's settings and profiles say */
export function createWorld(
  seed: number,
  {
    addresses,
    writers,
    hooked,
    fickle,
    profiles: edition,
  }: {
    readonly addresses: number;
    /** How many nodes may write at once. */
    readonly writers?: number | undefined;
    readonly hooked: boolean;
    readonly fickle: boolean;
    readonly profiles: ProfileEdition;
  },
): World {
  const random = createRandom(seed);
  const clock = createWorldClock();
  const recorder = createRecorder(clock);
  const network = createNetwork(random.fork("network"), addresses);
  const messages = random.fork("messages");
  const folder = makeFolder();
  const bootFile = path.join(folder, "boot/agent/vmlinuz");
  mkdirSync(path.dirname(bootFile), { recursive: true });
  writeFileSync(bootFile, "kernel");
  const images = createWorldImages(bootFile);
  const profiles = createWorldProfiles(edition);
  const settings = [
    `reimage:\n  configureTimeoutMs: ${configureTimeoutMs}\n`,
    ...(writers === undefined ? [] : [`limits:\n  writers: ${writers}\n`]),
    ...(hooked ? [renderHooks()] : []),
  ].join("");
  const hookFaults: { readonly when: HookMoment; readonly fault: HookFault }[] = [];
  if (hooked) recorder.note({ what: "hooks", hooks: hooks.filter(({ name }) => name !== "nobody") });
  const boards: Board[] = [];
  const cuts = new Map<string, number>();
  const isCut = (board: { readonly name: string }): boolean => (cuts.get(board.name) ?? 0) > clock.now();
  const boardAt = (address: string): Board | undefined => {
    const host = network.hostAt(address);
    return boards.find((board) => board === host);
  };
  const weather: Weather = { loss: 0, late: 0, doubled: 0 };
  const faults: StoreFaults = { failing: 0, onSave: () => undefined };
  let controller: ControllerProcess | undefined;
  let isStarting = false;
  let runs = 0;
  let aheadMs = 0;
  let gifts = 0;

  /** To the controller: `deliver` may happen late, or twice; resolves when the sender has its answer. */
  async function send<T>(board: Board, life: AbortSignal, deliver: (to: ControllerProcess) => Promise<T>): Promise<T> {
    await pause(clock, messages.between(2, 40), life);
    if (isCut(board) || controller === undefined) {
      await pause(clock, 1_000, life);
      throw new Error("the controller does not answer");
    }
    const again = async (): Promise<void> => {
      if (controller !== undefined) await deliver(controller).catch(() => undefined);
    };
    if (messages.chance(weather.late)) {
      clock.setTimeout(() => void again(), messages.between(500, 4_000));
      await pause(clock, 5_000, life);
      throw new Error("the controller did not answer in time");
    }
    if (messages.chance(weather.doubled)) clock.setTimeout(() => void again(), messages.between(10, 3_000));
    return deliver(controller);
  }

  const outside: Outside = {
    lease: (board) => {
      if (isCut(board)) return undefined;
      const before = network.addressOf(board);
      const address = network.lease(board);
      if (address !== undefined && before !== address) recorder.note({ what: "address", board: board.name, address });
      return address;
    },
    addressOf: (board) => network.addressOf(board) ?? "",
    leave: (board) => network.leave(board),

    async fetch(board, file) {
      const address = network.addressOf(board);
      if (isCut(board) || controller === undefined || address === undefined) return undefined;
      return fetchFrom(controller.files, file, address);
    },

    async register(board, agent) {
      const address = network.addressOf(board) ?? "";
      const request = RegisterRequest.fromPartial({
        bootMac: board.mac,
        facts: factsToWire(agent.facts()),
        agent: agentInfoToWire(agent.info()),
      });
      await send(board, agent.life, ({ enrollment }) => callDoor(enrollment.register, request, address));
      return controller?.heartbeatIntervalMs ?? 10_000;
    },

    async heartbeat(board, agent) {
      const address = network.addressOf(board) ?? "";
      const request = HeartbeatRequest.fromPartial({ bootMac: board.mac, instanceId: agent.instanceId });
      try {
        await send(board, agent.life, ({ enrollment }) => callDoor(enrollment.heartbeat, request, address));
        return controller?.heartbeatIntervalMs ?? 10_000;
      } catch (error) {
        if (isNotFound(error)) return "unknown";
        throw error;
      }
    },
  };

  function editProfiles(next: ProfileEdition): void {
    profiles.edition = next;
    recorder.note({
      what: "profiles",
      edition: next,
      ...(next === "tasks for new" && { images: ["new"] }),
      // Without hooks nobody gives anything.
      isBroken: next === "broken" || (next === "gifts" && !hooked),
      tasks: tasksOf(next),
    });
  }
  editProfiles(edition);

  function lookForLeaks(): void {
    for (const file of ["pallet.sqlite", "pallet.sqlite-wal"]) {
      const at = path.join(folder, "state", file);
      if (existsSync(at) && leaks(readFileSync(at))) recorder.note({ what: "leak", where: file });
    }
  }

  async function fetchFrom(files: BootFiles, file: string, address: string): Promise<string | undefined> {
    return clock.standingStill(
      (async () => {
        const opened = await files.open(file, { address });
        if (opened.kind !== "file") return undefined;
        const bytes = Buffer.alloc(opened.content.sizeBytes);
        await opened.content.read(bytes, 0);
        await opened.content.close({ outcome: "served", bytes: bytes.length, silentMs: 0 });
        return bytes.toString("utf8");
      })(),
    );
  }

  return {
    clock,
    recorder,
    network,
    boards,
    weather,
    faults,
    hookFaults,
    editProfiles,
    lookForLeaks,
    controller: () => controller,
    async start() {
      if (controller !== undefined || isStarting) return;
      isStarting = true;
      recorder.note({ what: "controller", is: "up" });
      runs += 1;
      const own = random.fork(`controller ${runs}`);
      const starting = startController({
        folder,
        settings,
        clock,
        aheadMs: () => aheadMs,
        images,
        agents: (ownClock, life) =>
          createConnections(
            {
              agentAt: (address) => boardAt(address)?.agent,
              isCut: (address) => {
                const board = boardAt(address);
                return board !== undefined && isCut(board);
              },
              lossRate: () => weather.loss,
            },
            ownClock,
            own,
            life,
          ),
        macAddressOf: (address) => boardAt(address)?.mac as NodeId | undefined,
        answers: (address, mac) => {
          const board = boardAt(address);
          return board !== undefined && !isCut(board) && board.mac === mac && board.stands.in !== "nothing";
        },
        openProfiles: profiles.open,
        hookRunner: (ownClock) =>
          createHookRuns({
            ...{ clock: ownClock, random: own.fork("hooks"), recorder },
            nextFault(when) {
              const index = hookFaults.findIndex((each) => each.when === when);
              return hookFaults.splice(index, index < 0 ? 0 : 1)[0]?.fault;
            },
            giftOf(reimage) {
              gifts += 1;
              return fickle ? `${reimage} ${gifts}` : reimage;
            },
          }),
        observe: (store, life) =>
          observeStore(store, life, recorder, { faults, editionOfDigest: profiles.editionOfDigest }),
      });
      controller = await clock.standingStill(starting);
      isStarting = false;
    },
    async stop() {
      const stopping = controller;
      controller = undefined;
      if (stopping === undefined) return;
      await clock.standingStill(stopping.stop());
      recorder.note({ what: "controller", is: "stopped" });
    },
    kill() {
      const killed = controller;
      controller = undefined;
      if (killed === undefined) return;
      killed.kill();
      recorder.note({ what: "controller", is: "killed" });
    },
    loseDatabase() {
      lookForLeaks();
      rmSync(path.join(folder, "state"), { recursive: true, force: true });
      recorder.note({ what: "database-lost" });
    },
    setClock(byMs) {
      aheadMs += byMs;
    },
    addBoard(about) {
      const board = createBoard(about, { clock, random: random.fork(about.name), recorder, outside });
      boards.push(board);
      recorder.note({ what: "board", board: about.name, mac: about.mac, serial: about.serial });
      for (const card of [about.card, about.disk]) if (card !== undefined) tellCard(recorder, about.name, card);
      return board;
    },
    cut: (board, until) => void cuts.set(board.name, until),
    fetchAs: outside.fetch,
    close() {
      controller?.kill();
      controller = undefined;
      for (const board of boards) board.powerOff();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function tellCard({ note }: Recorder, board: string, card: Card): void {
  note({ what: "card", card: card.name, content: contentOf(card) });
  note({ what: "inserted", board, card: card.name });
}

function makeFolder(): string {
  for (const parent of tmpfs) {
    try {
      return mkdtempSync(path.join(parent, "pallet-world-"));
    } catch {
      // The next one.
    }
  }
  throw new Error(`no folder can be made in ${tmpfs.join(", ")}`);
}
