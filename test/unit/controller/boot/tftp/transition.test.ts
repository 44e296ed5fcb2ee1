import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type RetransmissionTiming,
  startTransfer,
  type TransferEffect,
  type TransferEvent,
  type TransferState,
  transition,
} from "../../../../../controller/boot/tftp/transition.ts";

const timing: RetransmissionTiming = {
  firstTimeoutMs: 1000,
  maxTimeoutMs: 8000,
  maxSilences: 7,
  maxUnprovenSends: 3,
  maxStalledMs: 60_000,
  gapDelayMs: 20,
};
const ack = (block: number, atMs = 0): TransferEvent => ({ type: "acknowledgement", block, atMs });
const timeout: TransferEvent = { type: "timeout", atMs: 0 };
const repeated: TransferEvent = { type: "request-repeated", atMs: 0 };

interface Setup {
  readonly blocks: number;
  readonly window?: number;
  readonly negotiated?: boolean;
  readonly timeoutMs?: number;
}

/** A transfer of so many blocks of 512 bytes, the last of which is empty. */
function start({ blocks, window = 1, negotiated = false, timeoutMs }: Setup) {
  const parameters = { blockSize: 512, windowSize: window, ...(timeoutMs !== undefined && { timeoutMs }) };
  return startTransfer(parameters, (blocks - 1) * 512, negotiated, timing, 0);
}

/** Applies events one after the other and returns the last state and its effects. */
function after(setup: Setup, ...events: TransferEvent[]) {
  let step = start(setup);
  for (const event of events) step = transition(step.state, event);
  return step;
}

const blocks = (from: number, to: number): TransferEffect => ({ type: "send-blocks", from, to });
const wait = (ms: number): TransferEffect => ({ type: "wait", ms });
const served: TransferEffect = { type: "end", outcome: "served", reason: "the client acknowledged the last block" };

describe("TFTP transfer", () => {
  const cases: readonly [title: string, setup: Setup, events: TransferEvent[], effects: TransferEffect[]][] = [
    ["begins with the first block", { blocks: 3 }, [], [blocks(1, 1), wait(1000)]],
    [
      "begins with the options",
      { blocks: 3, negotiated: true },
      [],
      [{ type: "send-option-acknowledgement" }, wait(1000)],
    ],
    [
      "sends a window after the options",
      { blocks: 9, window: 4, negotiated: true },
      [ack(0)],
      [blocks(1, 4), wait(1000)],
    ],
    ["waits for block 0 after the options", { blocks: 9, window: 4, negotiated: true }, [ack(1)], []],
    [
      "repeats the options",
      { blocks: 9, negotiated: true },
      [timeout],
      [{ type: "send-option-acknowledgement" }, wait(2000)],
    ],
    ["answers a repeated request, and waits no longer for it", { blocks: 9 }, [repeated], [blocks(1, 1)]],
    [
      "repeats the options for a repeated request",
      { blocks: 9, negotiated: true },
      [repeated],
      [{ type: "send-option-acknowledgement" }],
    ],
    ["ignores a repeated request later", { blocks: 9 }, [ack(1), repeated], []],
    [
      "sends no window for a request that comes again after the options were acknowledged",
      { blocks: 99, window: 64, negotiated: true },
      [ack(0), repeated],
      [],
    ],
    ["sends the next block", { blocks: 3 }, [ack(1)], [blocks(2, 2), wait(1000)]],
    ["sends the next window", { blocks: 20, window: 8 }, [ack(8)], [blocks(9, 16), wait(1000)]],
    ["ends a window at the last block", { blocks: 10, window: 8 }, [ack(8)], [blocks(9, 10), wait(1000)]],
    ["sends an empty file as one block", { blocks: 1 }, [], [blocks(1, 1), wait(1000)]],
    ["ends with the last block", { blocks: 2 }, [ack(1), ack(2)], [served]],
    ["is deaf after its end", { blocks: 1 }, [ack(1), ack(1)], []],
    ["goes on behind a loss in the window", { blocks: 99, window: 8 }, [ack(3)], [blocks(4, 11), wait(1000)]],
    ["goes back to the first block of a lost window", { blocks: 99, window: 8 }, [timeout], [blocks(1, 8), wait(2000)]],
    ["gives a repeated acknowledgement a moment", { blocks: 99, window: 8 }, [ack(8), ack(8)], [wait(20)]],
    [
      "sends again after that moment",
      { blocks: 99, window: 8 },
      [ack(8), ack(8), timeout],
      [blocks(9, 16), wait(1000)],
    ],
    ["does so once for each silence", { blocks: 99, window: 8 }, [ack(8), ack(8), timeout, ack(8)], []],
    [
      "forgets the repetition on progress",
      { blocks: 99, window: 8 },
      [ack(8), ack(8), ack(16)],
      [blocks(17, 24), wait(1000)],
    ],
    ["never answers a repetition without windows", { blocks: 9 }, [ack(1), ack(1)], []],
    ["ignores a late acknowledgement", { blocks: 99, window: 8 }, [ack(8), ack(16), ack(9)], []],
    ["ignores an acknowledgement of what was not sent", { blocks: 99, window: 8 }, [ack(9)], []],
    ["waits as long as the client itself", { blocks: 9, timeoutMs: 1500 }, [timeout], [blocks(1, 1), wait(1500)]],
    [
      "ends when the client says so",
      { blocks: 9 },
      [{ type: "client-error", code: 3, message: "full" }],
      [{ type: "end", outcome: "aborted", reason: "the client ended it with error 3: full" }],
    ],
    [
      "refuses another packet",
      { blocks: 9 },
      [{ type: "unexpected-packet", description: "a data packet" }],
      [
        { type: "send-error", code: 4, message: "expected an acknowledgement, got a data packet" },
        { type: "end", outcome: "aborted", reason: "the client sent a data packet" },
      ],
    ],
  ];
  for (const [title, setup, events, effects] of cases)
    it(title, () => assert.deepEqual(after(setup, ...events).effects, effects));

  /** Lets a transfer wait until it ends, in virtual time: how long each wait was, how many packets went out, the end. */
  function fallSilent(from: ReturnType<typeof transition>) {
    let step = from;
    const waits: number[] = [];
    let packets = 0;
    let atMs = 0;
    for (;;) {
      for (const effect of step.effects) {
        if (effect.type === "wait") waits.push(effect.ms);
        if (effect.type === "send-option-acknowledgement") packets += 1;
        if (effect.type === "send-blocks") packets += effect.to - effect.from + 1;
      }
      if (step.state.phase === "ended") return { waits, packets, effects: step.effects, state: step.state };
      atMs += waits.at(-1) ?? 0;
      step = transition(step.state, { type: "timeout", atMs });
    }
  }

  it("doubles its patience up to a limit, then takes the client for gone", () => {
    const { waits, effects, state } = fallSilent(after({ blocks: 9 }, ack(1)));
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000]);
    assert.deepEqual(effects, [
      { type: "end", outcome: "aborted", reason: "the client fell silent after block 1 of 9" },
    ]);
    assert.equal(state.retransmits, 7);
  });

  for (const [title, setup] of [
    ["blocks", { blocks: 9 }],
    ["options", { blocks: 9000, window: 64, negotiated: true }],
    ["options, by a client that would wait for minutes", { blocks: 9, negotiated: true, timeoutMs: 255_000 }],
  ] as const)
    it(`brings three packets to a stranger who acknowledges nothing, and waits for seven seconds: ${title}`, () => {
      const { waits, packets, effects } = fallSilent(start(setup));
      assert.equal(packets, 3);
      assert.deepEqual(waits, [1000, 2000, 4000]);
      assert.partialDeepStrictEqual(effects, [{ type: "end", outcome: "aborted" }]);
    });

  it("ends a minute after its last progress, whatever interval the client named", () => {
    const { waits } = fallSilent(after({ blocks: 9, timeoutMs: 255_000 }, ack(1)));
    assert.equal(waits.reduce((sum, ms) => sum + ms, 0), 60_000); // biome-ignore format: one line
  });

  it("is not kept alive by acknowledgements that are no news, nor by repeated requests", () => {
    const noise = [ack(1), ack(0), ack(5), repeated];
    for (const setup of [{ blocks: 9 }, { blocks: 99, window: 4, timeoutMs: 255_000 }]) {
      let step = after(setup, ack(1));
      let endsAtMs = 1000;
      for (let atMs = 0; atMs <= 61_000; atMs += 10) {
        const events = atMs >= endsAtMs ? [{ type: "timeout", atMs } as const, ...noise] : noise;
        for (const event of events) {
          step = transition(step.state, { ...event, ...("atMs" in event && { atMs }) });
          for (const effect of step.effects) if (effect.type === "wait") endsAtMs = atMs + effect.ms;
        }
      }
      assert.equal(step.state.phase, "ended", JSON.stringify(setup));
    }
  });

  it("calls a transfer unconfirmed when only the last acknowledgement is missing", () => {
    const events = Array.from({ length: timing.maxSilences + 1 }, () => timeout);
    const { effects } = after({ blocks: 2 }, ack(1), ...events);
    assert.partialDeepStrictEqual(effects, [{ type: "end", outcome: "unconfirmed" }]);
  });

  it("gives a repeated acknowledgement two round trips where those are long", () => {
    const { effects } = after({ blocks: 99, window: 8 }, ack(8, 150), ack(8, 151));
    assert.deepEqual(effects, [wait(300)]);
  });

  it("counts on beyond 65535 blocks while the wire starts anew from 0", () => {
    let step = start({ blocks: 200_000, window: 64 });
    for (let block = 64; block < 200_000; block += 64) step = transition(step.state, ack(block & 0xffff));
    assert.deepEqual(step.effects[0], blocks(199_937 + 0, 200_000));
    assert.deepEqual(transition(step.state, ack(200_000 & 0xffff)).effects, [served]);
    assert.equal(step.state.retransmits, 0);
  });

  it("brings every block to the client in order, whatever the network loses, doubles, delays and reorders", () => {
    fc.assert(
      fc.property(
        fc.record({
          blockCount: fc.integer({ min: 1, max: 60 }),
          window: fc.integer({ min: 1, max: 16 }),
          negotiated: fc.boolean(),
          fates: fc.infiniteStream(
            fc.oneof(
              { weight: 6, arbitrary: fc.constant("deliver" as const) },
              { weight: 1, arbitrary: fc.constantFrom("lose", "double", "delay") },
            ),
          ),
        }),
        ({ blockCount, window, negotiated, fates }) => {
          const result = simulate({ blocks: blockCount, window, negotiated }, fates);
          assert.deepEqual(
            result.received,
            Array.from({ length: blockCount }, (_, index) => index + 1),
          );
          assert.notEqual(result.outcome, "aborted");
        },
      ),
      { numRuns: 300 },
    );
  });

  it("does not let one doubled packet double all that follow (Sorcerer's Apprentice)", () => {
    for (const window of [1, 2, 8, 64])
      for (const victim of [1, 2, 3, 10, 11, 40]) {
        let count = 0;
        const fates = (function* () {
          for (;;) yield ++count === victim ? ("double" as const) : ("deliver" as const);
        })();
        const { dataPackets, received } = simulate({ blocks: 500, window, negotiated: true }, fates);
        assert.equal(received.length, 500);
        assert.ok(dataPackets <= 500 + 2 * window, `${dataPackets} packets for 500 blocks with window ${window}`);
      }
  });
});

type Fate = "deliver" | "lose" | "double" | "delay";
type Message = { readonly to: "client" | "server"; readonly packet: "options" | number };

/**
 * A transfer in virtual time between the state machine and a client that behaves like U-Boot's, over a network where
 * each packet takes 1 ms unless its fate is another.
 */
function simulate(setup: Setup, fates: Iterable<Fate>) {
  const fate = fates[Symbol.iterator]();
  const window = setup.window ?? 1;
  const queue: { at: number; order: number; message: Message | "timer" | "client-timer"; id: number }[] = [];
  const received: number[] = [];
  let now = 0;
  let order = 0;
  let timerId = 0;
  let clientTimerId = 0;
  let dataPackets = 0;
  let outcome = "";
  let state = start(setup).state;
  let clientEnded = false;
  let started = false;
  let nextAcknowledged = window;
  let lastGap = -1;

  const schedule = (delay: number, message: (typeof queue)[number]["message"], id = 0): void => {
    queue.push({ at: now + delay, order: order++, message, id });
  };
  /** More than that, and a stranger is given up: an ordinary client then asks anew, which is another transfer. */
  let lossesAllowedUnproven = timing.maxUnprovenSends - 1;
  const transmit = (message: Message): void => {
    switch (fate.next().value as Fate) {
      case "lose":
        if (!state.proven && lossesAllowedUnproven === 0) break;
        if (!state.proven) lossesAllowedUnproven -= 1;
        return;
      case "double":
        schedule(1, message);
        schedule(3, message);
        return;
      case "delay":
        schedule(7, message);
        return;
    }
    schedule(1, message);
  };
  const apply = (step: { state: TransferState; effects: readonly TransferEffect[] }): void => {
    state = step.state;
    for (const effect of step.effects) {
      if (effect.type === "send-option-acknowledgement") transmit({ to: "client", packet: "options" });
      if (effect.type === "wait") schedule(effect.ms, "timer", ++timerId);
      if (effect.type === "end") outcome = effect.outcome;
      if (effect.type !== "send-blocks") continue;
      for (let block = effect.from; block <= effect.to; block++) {
        dataPackets += 1;
        transmit({ to: "client", packet: block });
      }
    }
  };
  const clientAcknowledges = (): void => {
    schedule(5000, "client-timer", ++clientTimerId);
    nextAcknowledged = received.length + window;
    transmit({ to: "server", packet: received.length });
  };
  const clientReceives = (packet: "options" | number): void => {
    if (clientEnded) return;
    if (packet === "options") {
      if (received.length === 0) clientAcknowledges();
      return;
    }
    if (packet !== received.length + 1) {
      if (lastGap !== received.length) clientAcknowledges();
      lastGap = received.length;
      return;
    }
    if (!started && setup.negotiated !== true) nextAcknowledged = window;
    started = true;
    received.push(packet);
    schedule(5000, "client-timer", ++clientTimerId);
    if (packet === setup.blocks) clientEnded = true;
    if (packet === setup.blocks || received.length === nextAcknowledged) clientAcknowledges();
  };

  apply(start(setup));
  for (let steps = 0; outcome === "" && steps < 100_000; steps++) {
    queue.sort((left, right) => left.at - right.at || left.order - right.order);
    const item = queue.shift();
    if (item === undefined) break;
    now = item.at;
    if (item.message === "timer") {
      if (item.id === timerId) apply(transition(state, { type: "timeout", atMs: now }));
    } else if (item.message === "client-timer") {
      // Before the first packet, U-Boot repeats its request instead.
      if (item.id === clientTimerId && !clientEnded) {
        lastGap = -1;
        clientAcknowledges();
      }
    } else if (item.message.to === "client") clientReceives(item.message.packet);
    else apply(transition(state, ack((item.message.packet as number) & 0xffff, now)));
  }
  return { received, dataPackets, outcome };
}
