// The runner as a program of its own, killed as a power cut does it, after each line that it prints.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { parseTasks } from "../../../../proto/system/tasks/parse-tasks.ts";
import { renderTasks } from "../../../../proto/system/tasks/render-tasks.ts";
import { parseTasksState, type TaskResult } from "../../../../proto/system/tasks/tasks-state.ts";
import { checkout } from "../../../programs/checkout.ts";
import { ended } from "../../../programs/leashed-process.ts";
import { requires } from "../../../requirements.ts";
import { script } from "./a-runner.ts";

const names = ["one", "two"] as const;

/** Runs the tasks of a system; kills the runner after so many lines. Resolves with how many it has printed. */
async function runUntil(root: string, mostLines: number): Promise<number> {
  const program = spawn(process.execPath, [join(checkout, "agent/main.ts"), "run-tasks", "--tasks-root", root], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = ended(program);
  let lines = 0;
  for await (const _ of createInterface({ input: program.stdout })) {
    lines += 1;
    if (lines === mostLines) program.kill("SIGKILL");
  }
  await gone;
  return lines;
}

async function resultsOf(root: string): Promise<readonly TaskResult[]> {
  return parseTasksState(await readFile(join(root, "var/lib/pallet/tasks/state.json"), "utf8")).tasks;
}

describe("a power cut while tasks run", requires("root"), () => {
  // started, what it says, succeeded: of each task.
  for (const cutAt of [1, 2, 3, 4, 5]) {
    it(`after line ${cutAt}: every task's effect is there, and what had ended did not run again`, async () => {
      const root = await mkdtemp(join(tmpdir(), "pallet-power-cut-"));
      try {
        await mkdir(join(root, "etc/pallet"), { recursive: true });
        const tasks = names.map((name) =>
          script(name, `echo x >> ${root}/${name}; echo said; sleep 0.3`, { secrets: { token: `secret of ${name}` } }),
        );
        await writeFile(join(root, "etc/pallet/tasks.json"), renderTasks(tasks, "ab".repeat(32)), { mode: 0o600 });
        // On a busy machine it may have got further before the signal: what holds, holds wherever it is cut.
        assert.ok((await runUntil(root, cutAt)) >= cutAt);
        const atCut = await resultsOf(root);
        assert.ok((await runUntil(root, Number.POSITIVE_INFINITY)) > 0);
        assert.deepEqual(
          (await resultsOf(root)).map(({ state }) => state),
          ["succeeded", "succeeded"],
        );
        for (const [at, name] of names.entries()) {
          const times = (await readFile(join(root, name), "utf8")).trim().split("\n").length;
          const was = atCut[at];
          assert.ok(times >= 1 && times <= 2, `${name} ran ${times} times`);
          if (was?.state !== "running") assert.equal(times, 1, `${name} was ${was?.state}, and ran ${times} times`);
        }
        const { tasks: left } = parseTasks(await readFile(join(root, "etc/pallet/tasks.json"), "utf8"));
        assert.ok(
          left.every(({ secrets }) => secrets === undefined),
          "a secret is left",
        );
      } finally {
        await rm(root, { recursive: true, force: true });
      }
    });
  }

  it("again and again in the same task ends with a failure that says so", async () => {
    const root = await mkdtemp(join(tmpdir(), "pallet-power-cut-"));
    try {
      await mkdir(join(root, "etc/pallet"), { recursive: true });
      await writeFile(
        join(root, "etc/pallet/tasks.json"),
        renderTasks([script("reboot", "sleep 300")], "ab".repeat(32)),
      );
      for (let boot = 0; boot < 3; boot++) assert.equal(await runUntil(root, 1), 1);
      await runUntil(root, Number.POSITIVE_INFINITY);
      const [result] = await resultsOf(root);
      assert.equal(result?.state, "failed");
      assert.match(result?.problem ?? "", /ended 3 times while it ran/);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
});
