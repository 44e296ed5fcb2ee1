import type { Accident, AccidentKind } from "./accidents.ts";
import type { Board } from "./board.ts";
import { createCard } from "./card.ts";
import type { Ask, Entry } from "./history/history.ts";
import { askController } from "./operator.ts";
import type { World } from "./world.ts";

/** Makes accidents happen in a world, and in the end mends everything. */
export interface Stage {
  ask(request: Ask): Promise<void>;
  happen(accident: Accident): void;
  /** Everything is mended, every board has power, and nothing happens any more. */
  calmDown(): Promise<void>;
}

type Acts = { readonly [Kind in AccidentKind]: (accident: Extract<Accident, { kind: Kind }>) => void };

/**
 * @param boards the operator's own; others come as strangers
 * @param noGrow whether roots keep their size, as older agents want it
 */
export function createStage(world: World, boards: readonly Board[], noGrow: boolean): Stage {
  const { clock, recorder, weather, faults, network } = world;
  const fair = { loss: 0, late: 0, doubled: 0 };
  let rollouts = 0;
  let strangers = 0;
  let isQuiet = false;

  const boardAt = (index: number): Board => {
    const board = boards[index];
    if (board === undefined) throw new Error(`there is no board ${index}`);
    return board;
  };
  const macAt = (index: number): string => boardAt(index).mac;
  const ask = (request: Ask): Promise<void> => askController(world.controller(), request, recorder);
  const later = (ms: number, act: () => void): void => void clock.setTimeout(() => !isQuiet && act(), ms);

  function withoutController(ms: number, end: () => void): void {
    if (world.controller() === undefined) return;
    end();
    clock.setTimeout(() => void world.start(), ms);
  }

  function reimage(nodes: readonly string[], image: string): void {
    if (nodes.length === 0) return;
    rollouts += 1;
    void ask({ ask: "reimage", nodes, image, rollout: `rollout-${rollouts}`, noGrow });
  }

  /** Somebody else's board in this network. */
  function addStranger(mac?: string): Board {
    strangers += 1;
    return world.addBoard({
      name: `stranger-${strangers}`,
      mac: mac ?? `02:00:00:00:01:${String(strangers).padStart(2, "0")}`,
      serial: `10000000beef${String(strangers).padStart(4, "0")}`,
      card: createCard(`strangers-card-${strangers}`, "foreign"),
    });
  }

  function insert(board: Board, card: Board["card"]): void {
    board.powerOff();
    board.card = card;
    recorder.note({ what: "inserted", board: board.name, card: card.name });
    later(5_000, board.powerOn);
  }

  const acts: Acts = {
    "power-off"({ board, forMs }) {
      boardAt(board).powerOff();
      later(forMs, boardAt(board).powerOn);
    },
    "restart-agent": ({ board }) => boardAt(board).restartAgent(),
    cut({ board, forMs }) {
      world.cut(boardAt(board), clock.now() + forMs);
      recorder.note({ what: "cut", board: boardAt(board).name, forMs });
    },
    "write-fault": ({ board, fault }) => void boardAt(board).writeFaults.push(fault),
    kill: ({ downMs }) => withoutController(downMs, world.kill),
    stop: ({ downMs }) => withoutController(downMs, () => void world.stop()),
    "kill-at-save"({ saves, of, after, downMs }) {
      let left = saves;
      faults.onSave = (when, kind) => {
        if (when !== (after ? "after" : "before") || (of !== "any" && kind !== of)) return;
        left -= 1;
        if (left > 0) return;
        faults.onSave = () => undefined;
        withoutController(downMs, world.kill);
      };
    },
    "fail-saves"({ count }) {
      faults.failing = count;
    },
    weather({ loss, late, doubled, forMs }) {
      Object.assign(weather, { loss, late, doubled });
      later(forMs, () => Object.assign(weather, fair));
    },
    "forget-leases": () => network.forgetLeases(),
    stranger({ board, forMs }) {
      const address = network.addressOf(boardAt(board));
      boardAt(board).powerOff();
      later(forMs, boardAt(board).powerOn);
      const stranger = addStranger();
      if (address !== undefined) network.reserve(stranger, address);
      stranger.powerOn();
    },
    "fetch-elsewhere"({ board, from }) {
      void world.fetchAs(boardAt(from), `pxelinux.cfg/01-${macAt(board).replaceAll(":", "-")}`);
    },
    "doubled-mac"({ board, forMs }) {
      const double = addStranger(macAt(board));
      double.powerOn();
      later(forMs, double.powerOff);
    },
    "swap-cards"({ board, other }) {
      const { card } = boardAt(board);
      insert(boardAt(board), boardAt(other).card);
      insert(boardAt(other), card);
    },
    "new-card"({ board }) {
      strangers += 1;
      const card = createCard(`new-card-${strangers}`, "blank");
      recorder.note({ what: "card", card: card.name, content: { kind: "blank" } });
      insert(boardAt(board), card);
    },
    "replace-board"({ board, forMs }) {
      const [own, other] = [boardAt(board), addStranger(macAt(board))];
      own.powerOff();
      other.powerOn();
      later(forMs, () => {
        other.powerOff();
        own.powerOn();
      });
    },
    "lose-database": ({ downMs }) =>
      withoutController(downMs, () => {
        world.kill();
        world.loseDatabase();
      }),
    "set-clock": ({ byMs }) => world.setClock(byMs),
    "reimage-all"({ image }) {
      rollouts += 1;
      void ask({ ask: "reimage", nodes: [], image, rollout: `rollout-${rollouts}`, noGrow });
    },
    reimage: ({ boards: indexes, image }) => reimage(indexes.map(macAt), image),
    cancel() {
      const rollout = [...unended(recorder.entries)].at(-1);
      if (rollout !== undefined) void ask({ ask: "cancel", rollout });
    },
    retry() {
      const last = new Map<string, Extract<Entry, { what: "reimage" }>>();
      for (const entry of recorder.entries) if (entry.what === "reimage") last.set(entry.node, entry);
      const failed = [...last.values()].filter(({ phase }) => phase === "failed" || phase === "cancelled");
      const nodes = failed.map(({ node }) => node);
      reimage(nodes, failed[0]?.image ?? "new");
    },
    boot: ({ board, target, image }) =>
      void ask({ ask: "boot", node: macAt(board), target, ...(image !== undefined && { image }) }),
    reboot: ({ board }) => void ask({ ask: "reboot", node: macAt(board) }),
    forget: ({ board }) => void ask({ ask: "forget", node: macAt(board) }),
    "hook-fault": ({ when, fault }) => void world.hookFaults.push({ when, fault }),
    "task-fault": ({ board, faults: next }) => void boardAt(board).taskFaults.push(...next),
    "edit-profiles": ({ edition }) => world.editProfiles(edition),
    "retry-tasks"() {
      const last = new Map<string, string>();
      for (const entry of recorder.entries) if (entry.what === "tasks") last.set(entry.node, entry.is);
      for (const [node, is] of last) if (is !== "configured") void ask({ ask: "retry-tasks", node });
    },
    "retry-rollout"() {
      const last = recorder.entries.findLast((entry) => entry.what === "rollout" && entry.ended);
      if (last?.what !== "rollout") return;
      rollouts += 1;
      void ask({ ask: "retry", of: last.rollout, rollout: `rollout-${rollouts}` });
    },
  };

  return {
    ask,
    happen(accident) {
      if (isQuiet) return;
      recorder.note({ what: "accident", text: JSON.stringify(accident) });
      // The table pairs each kind with its act, which the compiler cannot follow through an index.
      (acts[accident.kind] as (accident: Accident) => void)(accident);
    },
    async calmDown() {
      isQuiet = true;
      recorder.note({ what: "quiet" });
      Object.assign(weather, fair);
      Object.assign(faults, { failing: 0, onSave: () => undefined });
      world.hookFaults.splice(0);
      for (const board of world.boards) if (!boards.includes(board)) board.powerOff();
      for (const board of boards) {
        board.writeFaults.splice(0);
        board.taskFaults.splice(0);
        world.cut(board, 0);
        board.powerOn();
      }
      await world.start();
    },
  };
}

/** Rollouts that have not ended, the newest last. */
export function unended(entries: readonly Entry[]): ReadonlySet<string> {
  const open = new Set<string>();
  for (const entry of entries) {
    if (entry.what !== "rollout") continue;
    if (entry.ended) open.delete(entry.rollout);
    else open.add(entry.rollout);
  }
  return open;
}
