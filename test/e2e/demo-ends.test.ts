// `npm run demo`, ended as a user ends it: by Ctrl-C in a terminal, and by SIGTERM to npm.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { assertDetachedBelow } from "../assert-detached.ts";
import { checkout } from "../programs/checkout.ts";
import { createConsole } from "../programs/console.ts";
import { ended } from "../programs/leashed-process.ts";
import { withoutPallet } from "../programs/without-pallet.ts";
import { requires } from "../requirements.ts";
import { until } from "../until.ts";
import { processesWith } from "./processes-with.ts";

describe("the demo", { ...requires("root", "loop devices"), timeout: 900_000 }, () => {
  for (const [title, moment, end, exitCode] of [
    ["that was to stay ends by Ctrl-C", /Ctrl-C ends the rack/, "Ctrl-C", 0],
    ["ends by Ctrl-C in the middle of a rollout", /Ctrl-C stops watching/, "Ctrl-C", 130],
    ["ends by SIGTERM to npm in the middle of a rollout", /Ctrl-C stops watching/, "SIGTERM", 143],
  ] as const) {
    it(`${title}, in order, and leaves nothing`, async () => {
      const temporary = await mkdtemp(path.join(os.tmpdir(), "pallet-demo-"));
      const mark = `DEMO_OF_A_TEST=${randomUUID()}`;
      // script(1) makes the terminal, in which Ctrl-C is what it is for a user; npm and all others are below it.
      // Without "exec", script's shell would stay between them, and dash answers a Ctrl-C with 130, whatever npm has
      // ended with.
      const child = spawn("script", ["-qefc", "exec npm run demo -- --nodes 1 --keep", "/dev/null"], {
        cwd: checkout,
        env: {
          ...withoutPallet(process.env),
          // Of the terminal that script makes, not of whatever this test runs in: on a dumb one there is no table.
          TERM: "xterm",
          TMPDIR: temporary,
          DEMO_OF_A_TEST: mark.slice("DEMO_OF_A_TEST=".length),
        },
      });
      const log = createConsole("demo");
      child.stdout.setEncoding("utf8").on("data", log.append);
      child.stderr.setEncoding("utf8").on("data", log.append);
      const gone = ended(child);
      try {
        await log.waitFor(moment, { timeoutMs: 600_000 });
        if (end === "Ctrl-C") child.stdin.write("\x03");
        else {
          const npm = [...processesWith(mark)].find(([, command]) => command.startsWith("npm run demo"))?.[0];
          assert.ok(npm !== undefined, JSON.stringify([...processesWith(mark)]));
          process.kill(npm, "SIGTERM");
        }
        const { code } = await gone;
        const said = log.text();
        // Of a script that a signal has ended, npm itself may have its own opinion.
        if (end === "Ctrl-C") assert.equal(code, exitCode, log.tail(30));
        assert.match(said, /ending the rack/);
        assert.doesNotMatch(said, /^\s+at .*:\d+:\d+\)?\r?$/m, "there is a stack trace");
        await until(
          () => processesWith(mark).size === 0,
          () => JSON.stringify([...processesWith(mark)]),
        );
        await assertDetachedBelow(temporary);
        assert.deepEqual(
          (await readdir(temporary)).filter((name) => name.startsWith("pallet-")),
          [],
        );
      } finally {
        for (const pid of processesWith(mark).keys()) process.kill(pid, "SIGKILL");
        await rm(temporary, { recursive: true, force: true });
      }
    });
  }
});
