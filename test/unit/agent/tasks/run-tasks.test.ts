// Real processes of this machine, as a node runs them.
import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { runTasks } from "../../../../agent/tasks/run-tasks.ts";
import type { TaskConfig } from "../../../../proto/system/system-config.ts";
import { requires } from "../../../requirements.ts";
import { until } from "../../../until.ts";
import { makeSystem, type SystemWithTasks, script } from "./a-runner.ts";

const never = new AbortController().signal;

describe("the tasks of a node", requires("root"), () => {
  const made: SystemWithTasks[] = [];
  const systemIn = async (tasks: (folder: string) => readonly TaskConfig[]): Promise<SystemWithTasks> => {
    const system = await makeSystem(tasks);
    made.push(system);
    return system;
  };
  const systemWith = (...tasks: readonly TaskConfig[]): Promise<SystemWithTasks> => systemIn(() => tasks);
  /** Resolves once the process whose id is in this file runs no more. */
  const untilGone = async (file: string): Promise<void> => {
    const pid = (await readFile(file, "utf8")).trim();
    await until(
      () =>
        readFile(`/proc/${pid}/stat`, "utf8").then(
          (text) => / Z /.test(text),
          () => true,
        ),
      `process ${pid} runs on`,
    );
  };
  after(() => Promise.all(made.map((system) => system.remove())));

  it("run once, in their order, and are not run again at the next boot", async () => {
    const system = await systemIn((folder) => [
      script("one", 'echo "one to stdout"; echo "one to stderr" >&2; echo one >> "$RAN"', {
        environment: { RAN: join(folder, "ran") },
      }),
      {
        ...{ name: "two", timeoutMs: 60_000, environment: { RAN: join(folder, "ran") } },
        run: { kind: "command", words: ["sh", "-c", 'echo two >> "$RAN"'] },
      },
    ]);
    await runTasks(system.runner, never);
    await runTasks(system.runner, never);
    assert.equal(await readFile(join(system.folder, "ran"), "utf8"), "one\ntwo\n");
    assert.deepEqual(
      (await system.results()).map(({ name, state, starts, exitCode }) => [name, state, starts, exitCode]),
      [
        ["one", "succeeded", 1, 0],
        ["two", "succeeded", 1, 0],
      ],
    );
    for (const line of ["one: started", "one: one to stdout", "one: one to stderr", "one: succeeded", "two: succeeded"])
      assert.ok(system.journal.includes(line), `${line} in ${system.journal.join("; ")}`);
    assert.equal((await stat(join(system.runner.stateFolder, "state.json"))).mode & 0o777, 0o600);
  });

  it("stop at one that fails, with its last lines, and go on from it when that is asked for", async () => {
    const system = await systemIn((folder) => [
      script("join", `test -e ${folder}/mended || { for n in $(seq 100); do echo "line $n"; done; exit 3; }`),
      script("after", "true"),
    ]);
    await runTasks(system.runner, never);
    const [failed, waiting] = await system.results();
    assert.equal(failed?.state, "failed");
    assert.equal(failed?.exitCode, 3);
    assert.equal(failed?.problem, "exit code 3");
    assert.deepEqual(failed?.output?.split("\n").slice(-2), ["line 99", "line 100"]);
    assert.equal(failed?.output?.split("\n").length, 20);
    assert.equal(waiting?.state, "waiting");

    await runTasks(system.runner, never);
    assert.equal((await system.results())[0]?.starts, 1, "it ran again by itself");

    await writeFile(join(system.folder, "mended"), "");
    await system.retry();
    await runTasks(system.runner, never);
    assert.deepEqual(
      (await system.results()).map(({ state }) => state),
      ["succeeded", "succeeded"],
    );
    await assert.rejects(stat(system.runner.retryFile), { code: "ENOENT" });
  });

  it("are ended at their timeout with everything that they started", async () => {
    const system = await systemIn((folder) => [
      // Long enough for a busy machine to start all of it.
      script("hang", `(trap '' TERM; sleep 300 & echo $! > ${folder}/pid; wait) &\nsleep 300`, { timeoutMs: 8_000 }),
    ]);
    await runTasks(system.runner, never);
    const [result] = await system.results();
    assert.match(result?.problem ?? "", /did not end within 8 s/);
    assert.equal(result?.exitCode, undefined);
    await untilGone(join(system.folder, "pid"));
  });

  it("leave nothing running behind their end", async () => {
    const system = await systemIn((folder) => [script("fork", `sleep 300 &\necho $! > ${folder}/pid`)]);
    await runTasks(system.runner, never);
    assert.equal((await system.results())[0]?.state, "succeeded");
    await untilGone(join(system.folder, "pid"));
  });

  it("leave nothing running in a session of its own either, and nothing of others is ended", async () => {
    const other = await systemIn((folder) => [
      script("fork", `echo $$ > ${folder}/pid; until [ -e ${folder}/end ]; do sleep 0.1; done`),
    ]);
    const running = runTasks(other.runner, never);
    const system = await systemIn((folder) => [
      script(
        "fork",
        `setsid sh -c 'echo $$ > ${folder}/pid; sleep 300' &\nuntil [ -s ${folder}/pid ]; do sleep 0.1; done`,
      ),
    ]);
    await until(
      () =>
        stat(join(other.folder, "pid")).then(
          () => true,
          () => false,
        ),
      "the other task does not begin",
    );
    await runTasks(system.runner, never);
    assert.equal((await system.results())[0]?.state, "succeeded");
    await untilGone(join(system.folder, "pid"));
    await writeFile(join(other.folder, "end"), "");
    await running;
    assert.equal((await other.results())[0]?.state, "succeeded");
  });

  it("run as their user, with its groups, home and language, and can open what they write to", async () => {
    const system = await systemWith(
      script("who", 'id -un > /dev/stdout; id -nG; echo "$HOME $LANG $USER $PWD"; env | grep -c SUDO_', {
        user: "games",
      }),
    );
    await runTasks(system.runner, never);
    const said = system.journal.filter((line) => line.startsWith("who: ")).map((line) => line.slice(5));
    assert.deepEqual(said.slice(0, 4), ["started", "games", "games", "/usr/games C.UTF-8 games /usr/games"]);
  });

  it("give secrets to their user alone, in a folder, and none to ps, the journal or what is kept", async () => {
    const secret = "correct horse battery staple";
    const system = await systemIn((folder) => [
      script(
        "join",
        [
          'cat "$PALLET_SECRETS/token"',
          'stat -c "%U %a" "$PALLET_SECRETS" "$PALLET_SECRETS/token"',
          "echo ready",
          `while ! test -e ${folder}/seen; do sleep 0.05; done; exit 1`,
        ].join("\n"),
        { user: "games", secrets: { token: `${secret}\n` } },
      ),
    ]);
    const running = runTasks(system.runner, never);
    await until(
      () => system.journal.includes("join: ready"),
      () => system.journal.join("\n"),
    );
    let seen = 0;
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      for (const file of ["cmdline", "environ"]) {
        const text = await readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
        assert.doesNotMatch(text, /battery/, `${file} of ${text}`);
        if (text.includes(join(system.runner.runFolder, "join"))) seen += 1;
      }
    }
    assert.ok(seen >= 2, "its process was not looked at");
    await writeFile(join(system.folder, "seen"), "");
    await running;
    assert.equal((await system.results())[0]?.state, "failed");
    assert.deepEqual((await system.tasks())[0]?.secrets, { token: `${secret}\n` }, "a retry has no secrets");
    for (const line of ["join: [secret]", "join: games 700", "join: games 400"])
      assert.ok(system.journal.includes(line), `${line} in ${system.journal.join("; ")}`);
    const kept = await readFile(join(system.runner.stateFolder, "state.json"), "utf8");
    for (const text of [system.journal.join("\n"), kept]) assert.doesNotMatch(text, /battery/);
    assert.deepEqual(await readdir(system.runner.runFolder), []);
  });

  it("lose their secrets on the disk once they have succeeded", async () => {
    const system = await systemWith(
      script("one", 'grep -qx "open sesam." "$PALLET_SECRETS/token"', { secrets: { token: "open sesame" } }),
      script("two", "exit 1", { secrets: { token: "other" } }),
    );
    await runTasks(system.runner, never);
    assert.deepEqual(
      (await system.tasks()).map(({ secrets }) => secrets),
      [undefined, { token: "other" }],
    );
    assert.equal((await stat(system.runner.tasksFile)).mode & 0o777, 0o600);
    assert.doesNotMatch(await readFile(system.runner.tasksFile, "utf8"), /sesame/);
  });

  it("write no more into the journal than there is room for", async () => {
    const system = await systemWith(
      script("loud", "yes 0123456789012345678901234567890123456789 | head -c 4000000; echo; echo the end; exit 1"),
    );
    await runTasks(system.runner, never);
    assert.ok(system.journal.join("\n").length < 1_400_000);
    assert.ok(system.journal.includes("loud: what it writes from here on is left out"));
    assert.equal((await system.results())[0]?.output?.split("\n").at(-1), "the end");
  });

  it("fail with the reason when they cannot be started, for a user that there is not, and for a signal", async () => {
    for (const [task, problem] of [
      [{ name: "no", run: { kind: "command", words: ["/no/such"] }, timeoutMs: 1000 }, /cannot be started.*ENOENT/],
      [script("nobody", "true", { user: "nobody-here" }), /no user nobody-here/],
      [script("shot", "kill -KILL $$"), /SIGKILL/],
    ] as const satisfies readonly (readonly [TaskConfig, RegExp])[]) {
      const system = await systemWith(task);
      await runTasks(system.runner, never);
      assert.match((await system.results())[0]?.problem ?? "", problem);
    }
  });

  it("are left alone where their file, or what is kept of them, is broken; retrying gives up what is kept", async () => {
    const system = await systemWith(script("one", "true"));
    await runTasks(system.runner, never);
    await writeFile(join(system.runner.stateFolder, "state.json"), "{");
    await runTasks(system.runner, never);
    assert.match(system.journal.at(-1) ?? "", /not JSON/);
    await system.retry();
    await runTasks(system.runner, never);
    assert.equal((await system.results())[0]?.state, "succeeded");
    await writeFile(system.runner.tasksFile, "[]");
    await runTasks(system.runner, never);
    assert.match(system.journal.at(-1) ?? "", /tasks of this system are broken/);
  });

  it("are run by one runner at a time", async () => {
    const stop = new AbortController();
    const system = await systemWith(script("long", "echo begun; sleep 300"));
    const first = runTasks(system.runner, stop.signal);
    await until(
      () => system.journal.includes("long: begun"),
      () => system.journal.join("\n"),
    );
    await runTasks(system.runner, never);
    assert.equal(system.journal.at(-1), "the tasks of this system are being run already");
    stop.abort();
    await first;
    assert.equal((await system.results())[0]?.state, "running", "an interrupted task has ended");
  });

  it("that end well although they were told to stop, as one that reboots its node, have succeeded", async () => {
    const stop = new AbortController();
    const system = await systemWith(
      script("reboot", "trap 'exit 0' TERM; echo begun; while :; do sleep 0.1; done"),
      script("next", "true"),
    );
    const first = runTasks(system.runner, stop.signal);
    await until(
      () => system.journal.includes("reboot: begun"),
      () => system.journal.join("\n"),
    );
    stop.abort();
    await first;
    assert.deepEqual(
      (await system.results()).map(({ state }) => state),
      ["succeeded", "waiting"],
    );
  });
});
