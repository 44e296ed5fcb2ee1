import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { runTool } from "../../../../agent/linux/run-tool.ts";
import { Failure } from "../../../../proto/failure.ts";
import type { Need } from "../../../../proto/linux/debian-package.ts";
import { systemPath } from "../../../../proto/linux/system-path.ts";

// No tool of ours, but one that does as it is told.
const sh = (script: string) => ({ tool: "sh" as Need, args: ["-c", script], task: "try" });

describe("runTool", () => {
  it("returns what the tool printed", async () => {
    assert.deepEqual(await runTool(sh("echo out; echo err >&2")), { exitCode: 0, stdout: "out", stderr: "err" });
  });

  it("finds tools in the sbin folders and has them speak English", async () => {
    const { stdout } = await runTool(sh("echo $LC_ALL $PATH"));
    assert.equal(stdout, `C.UTF-8 ${systemPath(process.env["PATH"])}`);
    assert.match(stdout, /[ :]\/usr\/sbin(:|$)/);
  });

  it("fails with the tool's own words in one line", async () => {
    await assert.rejects(runTool(sh("echo 'sh: bad  ' >&2; echo >&2; echo 'really' >&2; exit 3")), {
      reason: "tool-failed",
      message: "cannot try: sh: bad; really",
    });
  });

  it("says how a silent tool ended", async () => {
    await assert.rejects(runTool(sh("exit 3")), { reason: "tool-failed", message: /cannot try: .*exit code 3/ });
  });

  it("takes other exit codes for success when told so", async () => {
    assert.equal((await runTool({ ...sh("echo x; exit 2"), acceptedExitCodes: [0, 2] })).exitCode, 2);
  });

  it("names the Debian package of a missing tool", async () => {
    const path = process.env["PATH"];
    process.env["PATH"] = "/nowhere";
    const run = runTool({ ...sh(""), tool: "mren" });
    process.env["PATH"] = path;
    await assert.rejects(run, {
      reason: "tool-failed",
      message: "cannot try: mren is missing; install the Debian package mtools",
    });
  });

  it("does not start when it is cancelled already", async () => {
    await assert.rejects(runTool({ ...sh("exit 3"), signal: AbortSignal.abort() }), { reason: "cancelled" });
  });

  it("kills a tool that ignores the polite signal, long before execa would", async () => {
    const controller = new AbortController();
    const run = runTool({ ...sh("trap '' TERM; exec sleep 600"), signal: controller.signal });
    await delay(50);
    const begun = performance.now();
    controller.abort(new Error("enough"));
    await assert.rejects(run, (error) => error instanceof Failure && error.reason === "cancelled");
    // Half a second, and what a busy machine adds; execa's own patience is 5 s.
    assert.ok(performance.now() - begun < 4000);
  });
});
