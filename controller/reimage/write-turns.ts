import type { Clock } from "../../proto/time/clock.ts";
import type { Uplink, WritingNode } from "../uplink/uplink.ts";
import type { NodePort } from "./executors/ports.ts";
import type { ReimageActor } from "./reimage-actor.ts";

/** Gives nodes their turns to write, so that the uplink is used and not swamped. */
export interface WriteTurns {
  /** Gives turns to all that may have one, as soon as the current step is done. Call after every change. */
  reconsider(): void;
  /** Why nodes are waiting. */
  waitingFor(): string | undefined;
  /** How many nodes write or are about to, and how many wait for that. */
  count(): { readonly writing: number; readonly waiting: number };
  close(): void;
}

/** How often to check whether another node may begin, while one is waiting. */
const intervalMs = 1000;

/** Builds the turns over the reimages that have not ended, the oldest first. */
export function createWriteTurns(options: {
  readonly actors: () => readonly ReimageActor[];
  readonly nodes: Pick<NodePort, "get">;
  readonly uplink: Uplink;
  readonly clock: Clock;
  /** What waiting nodes are waiting for has changed. */
  readonly onReason: () => void;
}): WriteTurns {
  const { actors, nodes, uplink, clock, onReason } = options;
  const closed = new AbortController();
  /** Nodes with a turn that they have not taken yet, because the journal temporarily refuses: at which step. */
  const offered = new Map<ReimageActor, number>();
  let why: string | undefined;
  let isReconsiderationDue = false;
  let isTicking = false;

  function giveTurns(): void {
    if (closed.signal.aborted) return;
    const all = actors();
    for (const [actor, step] of offered) if (hasTurn(actor) || actor.state().step !== step) offered.delete(actor);
    const queue = queueOf(all).filter((actor) => !offered.has(actor));
    const { begin, why: reason } = queue.length === 0 ? { begin: 0 } : uplink.admit(writersOf(all), queue.length);
    for (const actor of queue.slice(0, begin)) {
      offered.set(actor, actor.state().step);
      actor.tell({ type: "write-admitted" });
    }
    if (queue.length > begin) tickLater();
    if (reason === why) return;
    why = reason;
    onReason();
  }

  /** Never in the middle of a reimage's own step, where its turn would not show yet and be given twice. */
  function reconsider(): void {
    if (isReconsiderationDue) return;
    isReconsiderationDue = true;
    queueMicrotask(() => {
      isReconsiderationDue = false;
      giveTurns();
    });
  }

  function tickLater(): void {
    if (isTicking) return;
    isTicking = true;
    clock.setTimeout(
      () => {
        isTicking = false;
        reconsider();
      },
      intervalMs,
      closed.signal,
    );
  }

  function writersOf(all: readonly ReimageActor[]): WritingNode[] {
    return all
      .filter((actor) => hasTurn(actor) || offered.has(actor))
      .map((actor) => {
        const { id, nodeId, attempts } = actor.state();
        return { turn: `${id}-${attempts}`, address: nodes.get(nodeId)?.address };
      });
  }

  return {
    reconsider,
    waitingFor: () => why,
    count() {
      const all = actors();
      const waiting = all.filter((actor) => actor.state().phase.name === "waiting").length;
      return { writing: all.filter(hasTurn).length, waiting };
    },
    close: () => closed.abort(),
  };
}

/** Whether it writes, or may. One whose write is being cancelled still does. */
function hasTurn(actor: ReimageActor): boolean {
  const { phase } = actor.state();
  return (
    phase.name === "writing" || phase.name === "cancelling" || (phase.name === "checking" && phase.mayWrite === true)
  );
}

/**
 * Nodes that want a turn: first those waiting, longest first, then those whose disks are being checked, so that they
 * need not wait afterwards if nobody else does.
 */
function queueOf(actors: readonly ReimageActor[]): readonly ReimageActor[] {
  const since = (actor: ReimageActor): number => {
    const { phase } = actor.state();
    return phase.name === "waiting" ? phase.since : Number.POSITIVE_INFINITY;
  };
  const waiting = actors.filter((actor) => actor.state().phase.name === "waiting");
  const checking = actors.filter((actor) => {
    const { phase } = actor.state();
    return phase.name === "checking" && phase.mayWrite !== true && phase.obstacle === undefined;
  });
  return [...waiting.toSorted((a, b) => since(a) - since(b)), ...checking];
}
