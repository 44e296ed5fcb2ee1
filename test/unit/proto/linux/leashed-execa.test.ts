import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { createConsole } from "../../../programs/console.ts";
import { until } from "../../../until.ts";

const module = (name: string): string =>
  JSON.stringify(new URL(`../../../../proto/linux/${name}.ts`, import.meta.url).href);

/** A process of its own, in a process group of its own, that runs this code; it knows execa and onStopSignal. */
function program(code: string) {
  const source = `
    import { execa, execaOutliving } from ${module("leashed-execa")};
    import { onStopSignal } from ${module("stop-signals")};
    const say = (...words) => process.stdout.write(words.join(" ") + "\\n");
    ${code}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], { detached: true });
  const log = createConsole("program");
  child.stdout.setEncoding("utf8").on("data", log.append);
  child.stderr.setEncoding("utf8").on("data", log.append);
  const end = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  assert.ok(child.pid);
  return { pid: child.pid, log, end };
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch (error) {
    // It may go at any moment, also between opening the file and reading it.
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

async function assertGone(pids: readonly number[]): Promise<void> {
  await until(
    async () => !pids.some(isRunning),
    () => `${pids.filter(isRunning)} are still there`,
    { withinMs: 10_000 },
  );
}

/** Starts a shell that runs another one, and one that hears no SIGTERM; says all four process ids. */
const family = `
  for (const trap of ["", "trap '' TERM; "]) {
    const child = execa("sh", ["-c", trap + "sleep 600 & echo $$ $!; wait; wait; exec sleep 600"], { buffer: false, reject: false });
    child.stdout.on("data", (data) => process.stdout.write("family " + data));
  }`;

async function familyOf({ log }: ReturnType<typeof program>): Promise<number[]> {
  await log.waitFor(/family \d+ \d+\n(.*\n)*family \d+ \d+\n/);
  return [...log.text().matchAll(/family (\d+) (\d+)/g)].flatMap(([, shell, sleeper]) => [
    Number(shell),
    Number(sleeper),
  ]);
}

describe("execa on a leash", () => {
  for (const [how, code, end] of [
    ["is killed", "", (pid: number) => process.kill(pid, "SIGKILL")],
    ["ends by itself", "setTimeout(() => process.exit(3), 2000);", () => undefined],
    ["has a defect", "setTimeout(() => { throw new Error('defect'); }, 2000);", () => undefined],
    ["dies by a signal", "", (pid: number) => process.kill(pid, "SIGTERM")],
    ["is asked to stop twice", `onStopSignal(() => say("stopping"));`, endTwice],
  ] as const) {
    it(`ends everything that was started when the program ${how}`, async () => {
      const started = program(family + code);
      const pids = await familyOf(started);
      assert.equal(pids.length, 4);
      await end(started.pid, started);
      await started.end;
      await assertGone(pids);
    });
  }

  async function endTwice(pid: number, { log, end }: ReturnType<typeof program>): Promise<void> {
    process.kill(pid, "SIGTERM");
    await log.waitFor(/stopping/);
    process.kill(pid, "SIGTERM");
    assert.deepEqual(await end, [143, null]);
  }

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`leaves a ${signal} to the program, which then ends what it runs in its own order`, async () => {
      const started = program(`
        const child = execa("sleep", ["600"], { reject: false });
        onStopSignal(async (signal) => {
          say("stopping by", signal);
          child.kill();
          say("child ended by", (await child).signal);
        });
        say("ready");`);
      await started.log.waitFor(/ready/);
      // As a terminal sends it: to the whole process group.
      process.kill(-started.pid, signal);
      assert.deepEqual(await started.end, [0, null]);
      assert.equal(started.log.text(), `ready\nstopping by ${signal}\nchild ended by SIGTERM\n`);
    });
  }

  it("ends what the program that is cancelled has started, too", async () => {
    const started = program(`
      const cancelling = new AbortController();
      const child = execa("sh", ["-c", "sleep 600 & echo family $$ $! ; wait"], { buffer: false, reject: false, cancelSignal: cancelling.signal });
      child.stdout.once("data", (data) => { process.stdout.write(data + "family 0 0\\n"); cancelling.abort(); });
      say(child.isCanceled ?? (await child).isCanceled);
      setInterval(() => {}, 1000);`);
    const pids = (await familyOf(started)).filter((pid) => pid !== 0);
    await started.log.waitFor(/true/);
    await assertGone(pids);
    process.kill(started.pid, "SIGKILL");
    await started.end;
  });

  it("does not keep a program from ending, nor touch what has ended before", async () => {
    const started = program(`
      for (let i = 0; i < 20; i++) await execa("true");
      say((await execa("echo", ["done"])).stdout);`);
    assert.deepEqual(await started.end, [0, null]);
    assert.equal(started.log.text(), "done\n");
  });

  it("tells of a program that is missing as execa does", async () => {
    const started = program(`execa("no-such-program").catch((error) => say(error.code, error.shortMessage));`);
    await started.end;
    assert.match(started.log.text(), /^ENOENT Command failed with ENOENT: no-such-program/);
  });

  it("lets what is to outlive the program do so", async () => {
    const started = program(`
      const child = execaOutliving("sleep", ["600"]);
      say("pid", child.pid);
      setTimeout(() => process.exit(), 100);`);
    await started.end;
    const pid = Number(/pid (\d+)/.exec(started.log.text())?.[1]);
    assert.ok(isRunning(pid));
    process.kill(pid, "SIGKILL");
  });
});

describe("signals that ask to stop", () => {
  it("are heard once for a Ctrl-C that npm passes on to its script as well", async () => {
    // A parent that has npm's name, and sends the same signal again at once.
    const code = `onStopSignal((signal) => { say("stopping by", signal); setTimeout(() => say("stopped"), 1000); }); say("ready"); setTimeout(() => {}, 3000);`;
    const source = `import { onStopSignal } from ${module("stop-signals")}; const say = (...words) => console.log(...words); ${code}`;
    const started = program(`
      process.title = "npm run demo";
      const child = (await import("node:child_process")).spawn(process.execPath, ["--input-type=module", "-e", ${JSON.stringify(source)}], { stdio: "inherit" });
      process.on("SIGINT", () => { child.kill("SIGINT"); say("passed on"); });
      child.on("exit", (code) => say("exit code", code));`);
    await started.log.waitFor(/ready/);
    process.kill(-started.pid, "SIGINT");
    await started.end;
    assert.match(started.log.text(), /passed on/);
    assert.match(started.log.text(), /stopped\n(.*\n)*exit code 0/);
  });
});
