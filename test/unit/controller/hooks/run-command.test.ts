// Real programs.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { runCommand } from "../../../../controller/hooks/run-command.ts";
import { Failure } from "../../../../proto/failure.ts";
import { limits } from "../../../../proto/limits.ts";
import { monotonicClock } from "../../../../proto/time/clock.ts";
import { until } from "../../../until.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "pallet-hook-"));
});
after(() => rm(folder, { recursive: true }));

function run(
  script: string,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal; readonly isAnswerRead?: boolean } = {},
): Promise<string | undefined> {
  return runCommand(["/bin/sh", "-c", script, "hook", folder], {
    ...{ input: '{"a":1}\n', variables: { PALLET_NODE: "pi-1" }, timeoutMs: 60_000, clock: monotonicClock },
    ...{ signal: new AbortController().signal, ...options },
  });
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => assert.fail("it succeeded"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.reason, "hook-failed");
  return error;
}

/** Whether a process runs; one that has ended and that nobody has fetched does not. */
async function runs(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return status !== "" && !/\) Z /.test(status);
}

/** The process ids that a script wrote. */
async function pidsIn(name: string, count: number): Promise<readonly number[]> {
  let pids: readonly number[] = [];
  const found = async (): Promise<boolean> => {
    const text = await readFile(path.join(folder, name), "utf8").catch(() => "");
    pids = text.split("\n").filter(Boolean).map(Number);
    return pids.length === count;
  };
  await until(found, `the script did not write ${count} process ids`);
  return pids;
}

describe("a hook's command", () => {
  it("gets its JSON on standard input, and nothing else of the controller's environment", async () => {
    process.env["PALLET_TEST_SECRET"] = "hunter2";
    try {
      await run('cat >"$1/input"; env >"$1/env"; pwd >>"$1/env"');
    } finally {
      delete process.env["PALLET_TEST_SECRET"];
    }
    assert.equal(await readFile(path.join(folder, "input"), "utf8"), '{"a":1}\n');
    const environment = await readFile(path.join(folder, "env"), "utf8");
    const names = environment
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line) => line.split("=")[0]);
    assert.deepEqual(names.filter((name) => name !== "PWD" && name !== "_" && name !== "SHLVL").sort(), [
      "HOME",
      "LANG",
      "PALLET_NODE",
      "PATH",
    ]);
    assert.match(environment, /^PALLET_NODE=pi-1$/m);
    assert.match(environment, /^\/$/m);
  });

  it("may leave its input unread", async () => assert.equal(await run("exit 0"), undefined));

  describe("whose answer is read", () => {
    const isAnswerRead = true;

    it("answers on standard output, and talks on standard error", async () => {
      assert.equal(await run("echo talk >&2; printf '{}\\n'", { isAnswerRead }), "{}\n");
      assert.equal(await run("exit 0", { isAnswerRead }), "");
    });

    it("fails with what it said alone: its answer may have secrets", async () => {
      const { message, evidence } = await failureOf(run("echo canary; echo talk >&2; exit 3", { isAnswerRead }));
      assert.match(message, /ended with exit code 3; it said: talk$/);
      assert.equal(evidence.found, "talk");
    });

    it("may answer as much as it says, and no more", async () => {
      const most = limits.hooks.answerBytes.most;
      assert.equal((await run(`head -c ${most} /dev/zero | tr '\\0' x`, { isAnswerRead }))?.length, most);
      const { message, evidence } = await failureOf(run("yes canary | head -c 20000000", { isAnswerRead }));
      assert.equal(message, `/bin/sh answered with more than ${most} bytes`);
      assert.deepEqual(evidence, {});
    });

    it("has answered when it ends, even if a process that left its group keeps the pipe open", async () => {
      const script =
        'setsid sh -c \'echo $$ >"$1/answering"; exec sleep 1000\' daemon "$1" & until [ -s "$1/answering" ]; do sleep 0.01; done; echo answer';
      assert.equal(await run(script, { isAnswerRead }), "answer\n");
      for (const pid of await pidsIn("answering", 1)) process.kill(pid, "SIGKILL");
    });
  });

  it("fails by its exit code, with the end of what it said on both ways out", async () => {
    const { message, evidence } = await failureOf(run("echo one; echo two >&2; exit 3"));
    assert.match(message, /^\/bin\/sh ended with exit code 3; it said: (one \| two|two \| one)$/);
    assert.deepEqual(evidence.found?.split("\n").sort(), ["one", "two"]);
  });

  it("that says nothing, or dies, is told as such", async () => {
    assert.match((await failureOf(run("exit 1"))).message, /ended with exit code 1, and said nothing$/);
    assert.match((await failureOf(run("kill -KILL $$"))).message, /was ended by SIGKILL, and said nothing$/);
  });

  it("that talks without end costs no memory, and its last words are kept", async () => {
    const { evidence } = await failureOf(run("yes xxxxxxxxxxxxxxx | head -c 20000000; echo the end; exit 1"));
    assert.ok((evidence.found ?? "").length <= limits.hooks.outputCharacters.most);
    assert.match(evidence.found ?? "", /^….*the end$/s);
  });

  for (const [title, program, code] of [
    ["does not exist", "/no/such/program", "ENOENT"],
    ["may not be run", "plain", "EACCES"],
  ] as const)
    it(`that ${title} fails at once`, async () => {
      await writeFile(path.join(folder, "plain"), "#!/bin/sh\n", { mode: 0o600 });
      const { message } = await failureOf(
        runCommand([path.resolve(folder, program)], {
          ...{
            input: "",
            variables: {},
            timeoutMs: 60_000,
            clock: monotonicClock,
            signal: new AbortController().signal,
          },
        }),
      );
      assert.match(message, new RegExp(`cannot be started \\(${code}\\)`));
    });

  it("that hangs is ended with its children at its time limit, also those that do not want to", async () => {
    const hangs = run(
      'trap \'\' TERM; echo before >&2; sleep 1000 & echo $! >"$1/hang"; echo $$ >>"$1/hang"; wait; sleep 1000',
      // Long enough for a busy machine to start all of it.
      { timeoutMs: 8_000 },
    );
    const { message } = await failureOf(hangs);
    assert.match(message, /^\/bin\/sh was ended after 8 s, its time limit \(timeoutMs\); it said: before$/);
    for (const pid of await pidsIn("hang", 2)) await until(async () => !(await runs(pid)), `${pid} goes on`);
  });

  it("is ended with its children when it is cancelled, and what a cancellation says is thrown", async () => {
    const cancel = new AbortController();
    const work = run('sleep 1000 & echo $! >"$1/cancel"; echo $$ >>"$1/cancel"; wait', { signal: cancel.signal });
    const pids = await pidsIn("cancel", 2);
    cancel.abort(new Error("cancelled"));
    await assert.rejects(work, /^Error: cancelled$/);
    for (const pid of pids) await until(async () => !(await runs(pid)), `${pid} goes on`);
    await assert.rejects(run("exit 0", { signal: cancel.signal }), /cancelled/);
  });

  it("leaves nothing of its process group behind when it has succeeded", async () => {
    await run('sleep 1000 & echo $! >"$1/left"');
    const [pid = 0] = await pidsIn("left", 1);
    await until(async () => !(await runs(pid)), `${pid} goes on`);
  });

  it("is over when it has ended, even if a process that left its group keeps the pipe open", async () => {
    await run(
      'setsid sh -c \'echo $$ >"$0/daemon"; exec sleep 1000\' "$1" & while ! [ -s "$1/daemon" ]; do sleep 0.05; done',
    );
    const [pid = 0] = await pidsIn("daemon", 1);
    assert.ok(await runs(pid));
    process.kill(pid, "SIGKILL");
  });
});
