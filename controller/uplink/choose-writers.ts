/** A node that writes, or is about to. */
export interface Writer {
  /** What it fetches, over the last seconds. */
  readonly bytesPerSecond: number;
  /** How long it has had its turn, in milliseconds. */
  readonly ageMs: number;
}

/** The uplink, who uses it, and who wants to. */
export interface UplinkUse {
  /** Its capacity in bytes per second; Infinity if unknown. */
  readonly capacity: number;
  /** Traffic to nodes other than the writers, in bytes per second. */
  readonly otherBytesPerSecond: number;
  /** Limit per node, in bytes per second. */
  readonly perNodeCap?: number;
  /** How many the operator allows to write at once. */
  readonly mostWriters?: number;
  readonly writers: readonly Writer[];
  /** How many nodes are ready to write and wait. */
  readonly waiting: number;
}

/** How many of the waiting nodes begin now, and what holds back the others. */
export interface WritersChoice {
  readonly begin: number;
  /** "settling": nodes that have just begun may still take more. */
  readonly heldBy?: "limit" | "uplink" | "settling";
}

/** The fraction of the uplink that counts as full: TCP, IP and Ethernet take about 6 % of a link's capacity. */
export const fullShare = 0.9;

/** How long until a writer's fetch rate is representative, in milliseconds. */
export const settlingMs = 3000;

/** How many may always begin at first, and at once later. */
const fewWriters = 4;

/** What a node is taken to fetch of which nothing is known: the port of a Raspberry Pi 3 at its full 100 Mbit/s. */
const assumedPerNode = 12_500_000;

/**
 * How many nodes more begin to write. One that begins is counted with what the others take, until it has shown what it
 * takes itself; a node that fetches little, because its card holds most of the image already, so keeps nobody waiting.
 * The number of writers grows in steps of a quarter, each after the one before has shown its effect. Nobody is ever
 * stopped. With no writer, one begins in any case.
 */
export function chooseWriters(use: UplinkUse): WritersChoice {
  const { capacity, otherBytesPerSecond, writers, waiting, mostWriters = Number.POSITIVE_INFINITY } = use;
  const settled = writers.filter(({ ageMs }) => ageMs >= settlingMs);
  const fetching = fetchingWriters(settled);
  const perNodeCap = use.perNodeCap ?? Number.POSITIVE_INFINITY;
  const typical = fetching.length === 0 ? assumedPerNode : total(fetching) / fetching.length;
  const expected = Math.min(typical, perNodeCap);
  const unsettled = writers.length - settled.length;
  const step = Math.max(fewWriters, Math.ceil(settled.length / 4)) - unsettled;

  const shown = otherBytesPerSecond + total(writers);
  const isShownFull = shown >= fullShare * capacity;
  let taken =
    shown +
    writers
      .filter(({ ageMs }) => ageMs < settlingMs)
      .reduce((sum, { bytesPerSecond }) => sum + Math.max(0, expected - bytesPerSecond), 0);
  let begin = 0;
  for (; begin < waiting; begin += 1) {
    if (writers.length + begin >= mostWriters) return { begin, heldBy: "limit" };
    if (writers.length + begin > 0) {
      if (taken >= fullShare * capacity) return { begin, heldBy: isShownFull ? "uplink" : "settling" };
      if (begin >= step) return { begin, heldBy: "settling" };
    }
    taken += expected;
  }
  return { begin };
}

/** Writers that fetch a significant amount: neither verifying nor paused by their card. */
export function fetchingWriters<W extends Pick<Writer, "bytesPerSecond">>(writers: readonly W[]): readonly W[] {
  const busy = writers.filter(({ bytesPerSecond }) => bytesPerSecond > 0);
  const mean = total(busy) / Math.max(1, busy.length);
  return busy.filter(({ bytesPerSecond }) => bytesPerSecond >= mean / 4);
}

function total(writers: readonly Pick<Writer, "bytesPerSecond">[]): number {
  return writers.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0);
}
