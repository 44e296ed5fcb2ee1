// The guard of a netbooted node's watchdog: the very script, run by busybox as on a node, with a file for the watchdog.
import assert from "node:assert/strict";
import { mkdtemp, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { execa } from "execa";
import { until } from "../../../until.ts";

const script = join(import.meta.dirname, "../../../../controller/rootfs/files/guard-watchdog");

describe("the guard of the watchdog", () => {
  let folder: string;
  let ticks = 0;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pallet-guard-"));
    await writeFile(join(folder, "watchdog"), "");
    await execa("mkfifo", [join(folder, "answers"), join(folder, "pauses")]);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const tick = async () => {
    ticks += 1;
    await writeFile(join(folder, "tick"), `1 ${ticks}\n`);
  };
  const feeds = async () => (await stat(join(folder, "watchdog"))).size;

  /** A guard that lets the agent be silent for 50 s, of which 10 pass with each answer of the root. */
  const guarded = async (body: (guard: { answer: () => Promise<void>; said: () => string }) => Promise<void>) => {
    const guard = execa("busybox", ["sh", script, "watchdog", "50"], { cwd: folder, reject: false });
    try {
      let said = "";
      guard.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        said += chunk;
      });
      await until(async () => (await feeds()) === 1, "it does not feed");
      const answers = await open(join(folder, "answers"), "r+");
      try {
        const answer = async () => {
          const before = await feeds();
          await answers.write("answer\n");
          await until(async () => (await feeds()) > before || said !== "", "it neither feeds nor ends");
        };
        await body({ answer, said: () => said });
      } finally {
        await answers.close();
      }
    } finally {
      guard.kill("SIGKILL");
      await guard;
    }
  };

  it("says in its file that it is on, and by how much silence it ends", () =>
    guarded(async () => assert.equal(await readFile(join(folder, "state"), "utf8"), "on 50\n")));

  it("feeds for ever while the agent ticks", () =>
    guarded(async ({ answer, said }) => {
      for (let round = 0; round < 40; round += 1) {
        await tick();
        await answer();
      }
      assert.equal(said(), "");
    }));

  it("stops when the agent has ticked and was silent for that long, and never feeds again", () =>
    guarded(async ({ answer, said }) => {
      await tick();
      for (let answers = 0; answers < 5; answers += 1) await answer();
      assert.equal(said(), "");
      await answer();
      assert.match(said(), /no sign of life for 50 s/);
      const last = await feeds();
      await tick();
      await new Promise((resolve) => setTimeout(resolve, 6000));
      assert.equal(await feeds(), last);
    }));

  for (const tick of ["", "init 7.25"])
    it(`waits three times as long for an agent that has not shown itself yet (${tick || "nothing has"})`, () =>
      guarded(async ({ answer, said }) => {
        if (tick !== "") await writeFile(join(folder, "tick"), `${tick}\n`);
        for (let answers = tick === "" ? 1 : 0; answers < 15; answers += 1) await answer();
        assert.equal(said(), "");
        await answer();
        assert.match(said(), /no sign of life for 150 s/);
      }));

  it("begins to count anew with every tick", () =>
    guarded(async ({ answer, said }) => {
      for (let round = 0; round < 5; round += 1) {
        await tick();
        for (let answers = 0; answers < 5; answers += 1) await answer();
      }
      assert.equal(said(), "");
    }));

  it("asks a root for as long as it lives, and hears that a file is not there as an answer", async () => {
    const asker = execa("busybox", ["sh", script, "ask", "/proc/self"], { cwd: folder, reject: false });
    try {
      const answers = await open(join(folder, "answers"), "r+");
      const { buffer, bytesRead } = await answers.read();
      assert.equal(buffer.toString("utf8", 0, bytesRead), "answer\n");
      await answers.close();
    } finally {
      asker.kill("SIGKILL");
      await asker;
    }
  });

  it("feeds on without a tick while the root does not answer: the server is away, not the agent", () =>
    guarded(async ({ said }) => {
      await tick();
      const before = await feeds();
      await until(async () => (await feeds()) >= before + 2, "it does not feed");
      assert.equal(said(), "");
    }));
});
