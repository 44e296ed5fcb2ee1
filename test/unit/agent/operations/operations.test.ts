import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pino } from "pino";
import type { Executors, OperationContext } from "../../../../agent/operations/executor.ts";
import { createOperations, type Operations } from "../../../../agent/operations/operations.ts";
import { Failure, type FailureReason } from "../../../../proto/failure.ts";
import type { Operation, OperationId } from "../../../../proto/operation/operation.ts";
import type { OperationSpec } from "../../../../proto/operation/operation-spec.ts";
import type { AgentRole } from "../../../../proto/system/agent-program.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";

const id = (text: string) => text as OperationId;
const wipe = (device: string): OperationSpec => ({ kind: "wipe", device, method: "discard" });

/** One piece of work whose course the test decides. */
interface Work {
  readonly spec: OperationSpec;
  readonly context: OperationContext;
  readonly end: PromiseWithResolvers<void>;
}

/** A registry whose work, guard and time are in the hands of the test. */
class Bench {
  readonly works: Work[] = [];
  readonly operations: Operations;
  admit: (spec: OperationSpec) => Promise<void> = async () => undefined;
  readonly clock = createManualClock(1_000);
  readonly warnings: { readonly msg: string }[] = [];

  constructor(role: AgentRole = "netboot", say?: (line: string) => void) {
    const executor = {
      admit: (spec: OperationSpec) => this.admit(spec),
      run: (spec: OperationSpec, context: OperationContext) => {
        const end = Promise.withResolvers<void>();
        context.signal.addEventListener("abort", () => end.reject(context.signal.reason));
        this.works.push({ spec, context, end });
        return end.promise;
      },
    };
    const kinds = ["write-image", "verify-image", "make-filesystem", "wipe", "unmount", "identify"];
    this.operations = createOperations({
      executors: Object.fromEntries(kinds.map((kind) => [kind, executor])) as unknown as Executors,
      role,
      clock: this.clock,
      monotonicClock: this.clock,
      log:
        say === undefined
          ? pino({ level: "warn" }, { write: (line: string) => void this.warnings.push(JSON.parse(line)) })
          : pino({ level: "trace" }, { write: say }),
    });
  }

  /** Lets a quarter of a second pass. */
  tick(): void {
    this.clock.advance(250);
  }

  work(index = 0): Work {
    const work = this.works[index];
    assert.ok(work);
    return work;
  }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

const fails = (reason: FailureReason, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.reason, reason);
  assert.match(error.message, message);
  return true;
};

/** Collects what a watcher sees, from now on. */
function watch(
  operations: Operations,
  operation: string,
  signal?: AbortSignal,
): { seen: Operation[]; ended: Promise<void> } {
  const seen: Operation[] = [];
  const snapshots = operations.watch(id(operation), signal);
  assert.ok(snapshots);
  const ended = (async () => {
    for await (const snapshot of snapshots) seen.push(snapshot);
  })();
  return { seen, ended };
}

describe("operations", () => {
  it("start, run and succeed", async () => {
    const { operations, ...bench } = new Bench();
    const started = await operations.start(id("a"), wipe("/dev/sda"));
    assert.equal(started.kind, "started");
    assert.equal(started.operation.state, "running");
    assert.equal(operations.runningChange()?.id, "a");
    bench.works[0]?.end.resolve();
    await settled();
    const ended = operations.get(id("a"));
    assert.equal(ended?.state, "succeeded");
    assert.deepEqual([ended?.startedAt, ended?.endedAt], [1_000, 1_000]);
    assert.equal(operations.runningChange(), undefined);
    assert.equal(bench.clock.timers(), 0, "its timer is left");
  });

  it("never log what a new system is to be, which has secrets", async () => {
    const said: string[] = [];
    const bench = new Bench("netboot", (line) => said.push(line));
    const tasks = [
      { name: "join", run: { kind: "command", words: ["true"] }, timeoutMs: 1, secrets: { a: "sesame" } },
    ] as const;
    const spec = {
      kind: "write-image",
      device: "/dev/sda",
      full: false,
      customisation: { resident: true, system: { tasks } },
    };
    await bench.operations.start(id("a"), spec as unknown as OperationSpec);
    assert.equal(JSON.stringify(bench.work().spec).includes("sesame"), true, "the work itself lacks it");
    bench.work().end.reject(new Failure("device-error", "no"));
    await settled();
    assert.match(said.join(""), /operation started/);
    assert.doesNotMatch(said.join(""), /sesame/);
  });

  it("tell once a second that a disk stalls while it does, and log it once", async () => {
    const bench = new Bench();
    await bench.operations.start(id("a"), wipe("/dev/sda"));
    const watched = watch(bench.operations, "a");
    const { context, end } = bench.work();
    const answered = context.progress.askDisk();
    for (let ticks = 0; ticks < 100; ticks += 1) {
      bench.tick();
      await settled();
    }
    const stalls = () => watched.seen.map(({ progress }) => progress.stalledMs);
    assert.deepEqual(stalls(), [undefined, 20_000, 21_000, 22_000, 23_000, 24_000, 25_000]);
    assert.deepEqual(
      bench.warnings.map(({ msg }) => msg),
      ["the disk has not answered a request for a long time; it may be worn out"],
    );
    answered();
    bench.tick();
    await settled();
    assert.equal(stalls().at(-1), undefined);
    assert.equal(bench.warnings.at(-1)?.msg, "the disk is answering again");
    end.resolve();
    await watched.ended;
  });

  it("fail with the executor's failure, or an internal one that keeps its cause", async () => {
    const bench = new Bench();
    for (const [name, error, reason] of [
      ["a", new Failure("device-error", "EIO"), "device-error"],
      ["b", new TypeError("a defect"), "internal"],
    ] as const) {
      await bench.operations.start(id(name), wipe("/dev/sda"));
      bench.works.at(-1)?.end.reject(error);
      await settled();
      const { state, failure } = bench.operations.get(id(name)) ?? {};
      assert.equal(state, "failed");
      assert.equal(failure?.reason, reason);
      assert.ok(failure === error || failure?.cause === error);
    }
  });

  describe("ids", () => {
    it("a repeated request finds the same operation, while it runs and when it has ended", async () => {
      const bench = new Bench();
      await bench.operations.start(id("a"), wipe("/dev/sda"));
      assert.equal((await bench.operations.start(id("a"), wipe("/dev/sda"))).kind, "existing");
      bench.work().end.resolve();
      await settled();
      const again = await bench.operations.start(id("a"), wipe("/dev/sda"));
      assert.equal(again.kind, "existing");
      assert.equal(again.operation.state, "succeeded");
      assert.equal(bench.works.length, 1);
    });

    it("an id that belongs to other work is taken", async () => {
      const bench = new Bench();
      await bench.operations.start(id("a"), wipe("/dev/sda"));
      assert.equal((await bench.operations.start(id("a"), wipe("/dev/sdb"))).kind, "id-taken");
      assert.equal(bench.works.length, 1);
    });

    it("two equal requests at once start one operation", async () => {
      const bench = new Bench();
      const results = await Promise.all([1, 2].map(() => bench.operations.start(id("a"), wipe("/dev/sda"))));
      assert.deepEqual(results.map(({ kind }) => kind).sort(), ["existing", "started"]);
      assert.equal(bench.works.length, 1);
    });

    it("nothing remains of what the guard refused, for either of two equal requests", async () => {
      const bench = new Bench();
      bench.admit = async () => {
        throw new Failure("mounted", "it is mounted");
      };
      const both = await Promise.allSettled([1, 2].map(() => bench.operations.start(id("a"), wipe("/dev/sda"))));
      assert.deepEqual(
        both.map(({ status }) => status),
        ["rejected", "rejected"],
      );
      assert.deepEqual(bench.operations.list(), []);
      bench.admit = async () => undefined;
      assert.equal((await bench.operations.start(id("a"), wipe("/dev/sda"))).kind, "started");
    });
  });

  describe("one owner per device", () => {
    it("a second is refused, and told who has it", async () => {
      const bench = new Bench();
      await bench.operations.start(id("a"), wipe("/dev/sda"));
      const expected = fails("device-busy", /\/dev\/sda1 is in use by operation a \(wipe on \/dev\/sda\)/);
      await assert.rejects(bench.operations.start(id("b"), wipe("/dev/sda1")), expected);
      assert.equal((await bench.operations.start(id("c"), wipe("/dev/sdb"))).kind, "started");
    });

    it("also while the guard is still looking at the first", async () => {
      const bench = new Bench();
      const guard = Promise.withResolvers<void>();
      bench.admit = () => guard.promise;
      const first = bench.operations.start(id("a"), wipe("/dev/sda"));
      await assert.rejects(bench.operations.start(id("b"), wipe("/dev/sda")), fails("device-busy", /operation a/));
      assert.equal(bench.operations.get(id("a")), undefined, "it is not there before it was admitted");
      guard.resolve();
      assert.equal((await first).kind, "started");
    });

    it("and the device is free again when the first has ended", async () => {
      const bench = new Bench();
      await bench.operations.start(id("a"), wipe("/dev/sda"));
      bench.work().end.reject(new Failure("device-error", "EIO"));
      await settled();
      assert.equal((await bench.operations.start(id("b"), wipe("/dev/sda"))).kind, "started");
    });

    it("blinking an LED is in nobody's way", async () => {
      const bench = new Bench();
      await bench.operations.start(id("a"), wipe("/dev/sda"));
      await bench.operations.start(id("b"), { kind: "identify", durationMs: 1 });
      await bench.operations.start(id("c"), { kind: "identify", durationMs: 1 });
      bench.work(0).end.resolve();
      await settled();
      assert.equal(bench.operations.runningChange(), undefined);
    });
  });

  describe("many at once", () => {
    const blink = { kind: "identify", durationMs: 1 } as const;
    const startMany = (bench: Bench, count: number, spec: (index: number) => OperationSpec) =>
      Promise.all(
        Array.from({ length: count }, (_, index) =>
          bench.operations.start(id(`${spec(index).kind}-${index}`), spec(index)).then(
            () => "started",
            (error: unknown) => (error as Failure).message,
          ),
        ),
      );

    it("of 6,552 that blink four do, and disks are written all the same, eight operations in all", async () => {
      const bench = new Bench();
      const blinking = await startMany(bench, 6552, () => blink);
      assert.equal(blinking.filter((said) => said === "started").length, 4);
      assert.match(
        blinking.at(-1) ?? "",
        /runs 4 operations, no more .*oldest is identify-0, identify.* wait until one/,
      );
      const wiping = await startMany(bench, 6, (index) => wipe(`/dev/sd${"abcdef"[index]}`));
      assert.equal(wiping.filter((said) => said === "started").length, 4);
      assert.match(wiping.at(-1) ?? "", /runs 8 operations/);
      assert.equal(bench.works.length, 8);
    });

    it("count also while the guard looks at them, and no more when they have ended", async () => {
      const bench = new Bench();
      const guard = Promise.withResolvers<void>();
      bench.admit = () => guard.promise;
      const first = startMany(bench, 8, (index) => wipe(`/dev/sd${"abcdefgh"[index]}`));
      await assert.rejects(bench.operations.start(id("b"), wipe("/dev/sdz")), fails("device-busy", /runs 8/));
      guard.resolve();
      await first;
      bench.works[0]?.end.resolve();
      await settled();
      assert.equal((await bench.operations.start(id("b"), wipe("/dev/sdz"))).kind, "started");
    });

    it("refuse no request that is repeated", async () => {
      const bench = new Bench();
      await startMany(bench, 4, () => blink);
      assert.equal((await bench.operations.start(id("identify-2"), blink)).kind, "existing");
    });
  });

  describe("watching", () => {
    it("shows changes of phase at once and bytes at most four times a second", async () => {
      const bench = new Bench();
      await bench.operations.start(id("a"), wipe("/dev/sda"));
      const { seen, ended } = watch(bench.operations, "a");
      await settled();
      const { progress } = bench.work().context;
      progress.enter("writing", { written: 1_000 });
      await settled();
      for (let n = 0; n < 50; n += 1) progress.add("written", 10);
      await settled();
      assert.deepEqual(
        seen.map((one) => one.progress.phase),
        ["starting", "writing"],
      );
      bench.tick();
      await settled();
      bench.tick();
      progress.enter("syncing");
      await settled();
      bench.work().end.resolve();
      await ended;
      assert.deepEqual(
        seen.map((one) => [one.state, one.progress.phase, one.progress.written.done]),
        [
          ["running", "starting", 0],
          ["running", "writing", 0],
          ["running", "writing", 500],
          ["running", "syncing", 500],
          ["succeeded", "syncing", 500],
        ],
      );
    });

    it("says nothing while nothing changes", async () => {
      const bench = new Bench();
      await bench.operations.start(id("a"), wipe("/dev/sda"));
      const { seen } = watch(bench.operations, "a");
      for (let n = 0; n < 5; n += 1) {
        bench.tick();
        await settled();
      }
      assert.equal(seen.length, 1);
    });

    it("serves several watchers, and one that went away is no burden", async () => {
      const bench = new Bench();
      await bench.operations.start(id("a"), wipe("/dev/sda"));
      const abort = new AbortController();
      const gone = watch(bench.operations, "a", abort.signal);
      const stays = watch(bench.operations, "a");
      await settled();
      abort.abort();
      await gone.ended;
      bench.work().end.resolve();
      await stays.ended;
      assert.deepEqual(
        gone.seen.map(({ state }) => state),
        ["running"],
      );
      assert.deepEqual(
        stays.seen.map(({ state }) => state),
        ["running", "succeeded"],
      );
    });

    it("gives a slow watcher the newest state and surely the last", async () => {
      const bench = new Bench();
      await bench.operations.start(id("a"), wipe("/dev/sda"));
      const iterator = (bench.operations.watch(id("a")) ?? assert.fail())[Symbol.asyncIterator]();
      await iterator.next();
      const { progress } = bench.work().context;
      progress.enter("erasing");
      progress.enter("writing");
      bench.work().end.resolve();
      await settled();
      const last: Operation | undefined = (await iterator.next()).value;
      assert.equal(last?.state, "succeeded");
      assert.equal((await iterator.next()).done, true);
    });

    it("shows an ended operation once", async () => {
      const bench = new Bench();
      await bench.operations.start(id("a"), wipe("/dev/sda"));
      bench.work().end.resolve();
      await settled();
      const late = watch(bench.operations, "a");
      await late.ended;
      assert.deepEqual(
        late.seen.map(({ state }) => state),
        ["succeeded"],
      );
    });

    it("knows nothing of an unknown id", async () => {
      const bench = new Bench();
      assert.equal(bench.operations.watch(id("x")), undefined);
      assert.equal(await bench.operations.cancel(id("x")), undefined);
    });

    it("never changes a snapshot that was handed out", async () => {
      const bench = new Bench();
      const { operation } = await bench.operations.start(id("a"), wipe("/dev/sda"));
      const copy = structuredClone(operation.progress);
      bench.work().context.progress.enter("wiping");
      bench.work().end.resolve();
      await settled();
      assert.deepEqual(operation.progress, copy);
      assert.equal(operation.state, "running");
    });
  });

  describe("cancelling", () => {
    it("resolves when the work has stopped", async () => {
      const bench = new Bench();
      await bench.operations.start(id("a"), wipe("/dev/sda"));
      const cancelled = await bench.operations.cancel(id("a"));
      assert.equal(cancelled?.state, "cancelled");
      assert.equal(cancelled?.failure?.reason, "cancelled");
      assert.ok(cancelled?.endedAt);
    });

    it("lets nothing begin that the guard is still looking at", async () => {
      const bench = new Bench();
      const admission = Promise.withResolvers<void>();
      bench.admit = () => admission.promise;
      const started = assert.rejects(
        bench.operations.start(id("a"), wipe("/dev/sda")),
        fails("cancelled", /cancelled on request/),
      );
      const cancelled = bench.operations.cancel(id("a"));
      // The guard, slow as the card, lets it pass all the same.
      admission.resolve();
      assert.equal(await cancelled, undefined, "it never was an operation");
      await started;
      assert.equal(bench.works.length, 0);
      assert.deepEqual(bench.operations.list(), []);
    });

    it("refuses a start that comes after its own cancellation, and no other", async () => {
      const bench = new Bench();
      assert.equal(await bench.operations.cancel(id("late")), undefined);
      await assert.rejects(
        bench.operations.start(id("late"), wipe("/dev/sda")),
        fails("in-use", /late was cancelled before it began/),
      );
      assert.equal(bench.works.length, 0);
      assert.equal((await bench.operations.start(id("other"), wipe("/dev/sda"))).kind, "started");
    });

    it("remembers the newest thousand of these", async () => {
      const bench = new Bench();
      for (let number = 0; number <= 1000; number++) await bench.operations.cancel(id(`ahead-${number}`));
      await assert.rejects(bench.operations.start(id("ahead-1"), wipe("/dev/sda")), fails("in-use", /before it began/));
      assert.equal((await bench.operations.start(id("ahead-0"), wipe("/dev/sda"))).kind, "started");
    });

    it("keeps what went wrong while the work stopped", async () => {
      const bench = new Bench();
      await bench.operations.start(id("a"), wipe("/dev/sda"));
      bench.work().end.reject(new Failure("device-error", "the table could not be erased"));
      const cancelled = await bench.operations.cancel(id("a"));
      assert.equal(
        cancelled?.failure?.message,
        "cancelled on request; while it stopped: the table could not be erased",
      );
    });

    it("changes nothing about what has ended, or cannot stop any more", async () => {
      const bench = new Bench();
      await bench.operations.start(id("a"), wipe("/dev/sda"));
      bench.work().end.resolve();
      assert.equal((await bench.operations.cancel(id("a")))?.state, "succeeded");
      assert.equal((await bench.operations.cancel(id("a")))?.state, "succeeded");
    });
  });

  it("keep the last hundred that ended and all that run, oldest first", async () => {
    const bench = new Bench();
    await bench.operations.start(id("runs"), wipe("/dev/sda"));
    for (let n = 0; n < 105; n += 1) {
      await bench.operations.start(id(`n${n}`), wipe("/dev/sdb"));
      bench.works.at(-1)?.end.resolve();
      await settled();
    }
    const listed = bench.operations.list().map((operation) => operation.id as string);
    assert.equal(listed.length, 101);
    assert.deepEqual([listed[0], listed[1], listed.at(-1)], ["runs", "n5", "n104"]);
  });

  describe("roles", () => {
    it("the resident agent only blinks", async () => {
      const bench = new Bench("resident");
      await assert.rejects(
        bench.operations.start(id("a"), wipe("/dev/sda")),
        fails("unsupported", /boot target to agent/),
      );
      assert.equal((await bench.operations.start(id("b"), { kind: "identify", durationMs: 1 })).kind, "started");
    });
  });

  describe("the end of the agent", () => {
    it("cancels everything and refuses what comes later", async () => {
      const bench = new Bench();
      await bench.operations.start(id("a"), wipe("/dev/sda"));
      await bench.operations.start(id("b"), wipe("/dev/sdb"));
      await bench.operations.stop("the agent was stopped by SIGTERM");
      assert.deepEqual(
        bench.operations.list().map(({ state }) => state),
        ["cancelled", "cancelled"],
      );
      await assert.rejects(bench.operations.start(id("c"), wipe("/dev/sdc")), fails("in-use", /SIGTERM/));
    });

    it("stops what was about to begin", async () => {
      const bench = new Bench();
      const guard = Promise.withResolvers<void>();
      bench.admit = () => guard.promise;
      const starting = bench.operations.start(id("a"), wipe("/dev/sda"));
      await bench.operations.stop("the end");
      guard.resolve();
      await assert.rejects(starting, fails("in-use", /the end/));
      assert.equal(bench.works.length, 0);
    });

    it("can be called off", async () => {
      const bench = new Bench();
      const resume = bench.operations.refuse("the node is about to reboot");
      await assert.rejects(bench.operations.start(id("a"), wipe("/dev/sda")), fails("in-use", /about to reboot/));
      resume();
      assert.equal((await bench.operations.start(id("a"), wipe("/dev/sda"))).kind, "started");
    });
  });

  describe("a disk that is held to be read", () => {
    it("is kept from operations on it or its partitions, and from other readers, until it is let go", async () => {
      const { operations } = new Bench();
      const release = operations.hold("/dev/sda");
      const busy = fails("device-busy", /is being read/);
      await assert.rejects(operations.start(id("a"), wipe("/dev/sda")), busy);
      await assert.rejects(operations.start(id("a"), wipe("/dev/sda1")), busy);
      assert.throws(() => operations.hold("/dev/sda"), busy);
      assert.equal((await operations.start(id("b"), wipe("/dev/sdb"))).kind, "started");
      release();
      assert.equal((await operations.start(id("a"), wipe("/dev/sda"))).kind, "started");
    });
    it("is not one that an operation has", async () => {
      const { operations } = new Bench();
      await operations.start(id("a"), wipe("/dev/sda1"));
      assert.throws(() => operations.hold("/dev/sda"), fails("device-busy", /in use by operation a/));
    });
    it("is none on a node that is about to reboot, and none of an installed system", () => {
      const { operations } = new Bench();
      operations.refuse("the node is about to reboot");
      assert.throws(() => operations.hold("/dev/sda"), fails("in-use", /about to reboot/));
      assert.throws(() => new Bench("resident").operations.hold("/dev/sda"), fails("unsupported", /read-disk/));
    });
    it("is one of four at most", () => {
      const { operations } = new Bench();
      for (const name of ["a", "b", "c", "d"]) operations.hold(`/dev/sd${name}`);
      assert.throws(() => operations.hold("/dev/sde"), fails("device-busy", /4 disks/));
    });
  });
});
