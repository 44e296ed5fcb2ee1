import { type Plan, type Planned, quietFromMs, troubleFromMs } from "./accidents.ts";
import type { Board } from "./board.ts";
import { createCard } from "./card.ts";
import type { Entry } from "./history/history.ts";
import { withPlainIds } from "./history/plain-ids.ts";
import { showRollouts } from "./operator.ts";
import { createStage, type Stage, unended } from "./stage.ts";
import { createWorld, type World } from "./world.ts";

const minute = 60_000;
/** How long the rack may take until all is at rest again, once nothing goes wrong any more. */
const mostQuietMs = 5 * 60 * minute;
/** So long everything has to be at rest. */
const restMs = 25 * minute;

/** Plays what a plan says, from the first power-on until everything is at rest, and returns what happened. */
export async function play(plan: Plan): Promise<readonly Entry[]> {
  const world = createWorld(plan.seed, { addresses: plan.boards + 3, ...plan });
  const { clock, recorder, network } = world;
  const startedAt = clock.now();
  try {
    await world.start();
    const boards = Array.from({ length: plan.boards }, (_, index) => addBoard(world, index, plan));
    const stage = createStage(world, boards, plan.old.length > 0);
    for (const board of boards) board.powerOn();
    await clock.run(2 * minute);
    for (const { mac } of boards) await stage.ask({ ask: "accept", node: mac });
    stage.happen({ kind: "reimage", boards: plan.installed, image: "old" });
    await clock.run(troubleFromMs - 2 * minute);
    for (const planned of plan.happens) arrange(world, stage, planned);
    await clock.run(quietFromMs - troubleFromMs);
    await stage.calmDown();
    await untilAtRest(world);
    await showRollouts(world.controller(), recorder);
    world.lookForLeaks();
    for (const board of boards) {
      const { stands, name, mac, card } = board;
      const address = network.addressOf(board);
      recorder.note({
        ...{ what: "stands", board: name, mac, in: stands.in, card: card.name, since: stands.since - startedAt },
        ...(address !== undefined && { address }),
      });
    }
    return withPlainIds(recorder.entries);
  } finally {
    world.close();
  }
}

function addBoard(world: World, index: number, plan: Plan): Board {
  const number = index + 1;
  return world.addBoard({
    name: `pi-${number}`,
    mac: `02:00:00:00:00:0${number}`,
    serial: `10000000a1b2c3d${number}`,
    card: createCard(`card-${number}`, "blank"),
    isOld: plan.old.includes(index),
    ...(plan.disks.includes(index) && { disk: createCard(`disk-${number}`, "foreign", true) }),
  });
}

/** All rollouts have ended, and for a while nothing has happened to any board. */
async function untilAtRest({ clock, recorder, boards }: World): Promise<void> {
  const until = clock.now() + mostQuietMs;
  const isAtRest = (): boolean =>
    unended(recorder.entries).size === 0 &&
    boards.every((board) => !board.isOn() || clock.now() - board.stands.since >= restMs / 2);
  await clock.run(restMs);
  while (!isAtRest() && clock.now() < until) await clock.run(5 * minute);
}

/** What has just begun, as plans name it. */
function phaseOf(entry: Entry): string | undefined {
  if (entry.what === "tasks") return `tasks ${entry.is}`;
  return entry.what === "reimage" ? entry.phase : undefined;
}

/** Times of a plan count from the beginning of the world; this is called when the trouble begins. */
function arrange({ clock, recorder }: World, stage: Stage, planned: Planned): void {
  if ("atMs" in planned) {
    clock.setTimeout(() => stage.happen(planned.accident), planned.atMs - troubleFromMs);
    return;
  }
  clock.setTimeout(() => {
    let isDone = false;
    recorder.listen((entry) => {
      if (isDone || phaseOf(entry) !== planned.phase) return;
      isDone = true;
      clock.setTimeout(() => stage.happen(planned.accident), planned.delayMs);
    });
  }, planned.afterMs - troubleFromMs);
}
