import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { assertInstalled } from "../../../../controller/network/missing-program.ts";
import { restartDelayMs } from "../../../../controller/network/restart-delay.ts";
import { superviseProcess } from "../../../../controller/network/supervise-process.ts";

describe("a supervised program", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "pallet-supervise-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function supervise(script: string, onRestart?: () => void) {
    const delays: number[] = [];
    const lines: string[] = [];
    const started = superviseProcess(
      {
        name: "thing",
        command: ["sh", "-c", `cd "${folder}"; ${script}`],
        isReady: (line) => line === "ready",
        explainEnd: (last) => `its last word was ${last.at(-1)}`,
        onLine: (line) => lines.push(line),
        ...(onRestart !== undefined && { onRestart }),
        stopSignal: "SIGTERM",
      },
      {
        clock: {
          now: () => 0,
          setTimeout: (callback, delayMs, signal) => {
            delays.push(delayMs);
            const soon = setImmediate(() => signal?.aborted || callback());
            return () => clearImmediate(soon);
          },
        },
        log: { info: () => undefined, error: () => undefined },
      },
    );
    return { started, delays, lines };
  }

  it("is there when it says so, and gone when it is closed", async () => {
    const { started, lines } = supervise("echo $$ >pid; echo ready; exec sleep 60");
    const thing = await started;
    const pid = Number(readFileSync(path.join(folder, "pid"), "utf8"));
    assert.ok(existsSync(`/proc/${pid}`));
    assert.deepEqual(lines, ["ready"]);
    await thing.close();
    assert.equal(existsSync(`/proc/${pid}`), false);
  });

  it("that does not start fails with the reason", async () => {
    await assert.rejects(supervise("echo no such luck >&2; exit 3").started, {
      reason: "tool-failed",
      message: "thing does not run: its last word was no such luck (exit code 3)",
    });
  });

  it("is started again, ever later, until it stays", async () => {
    const back = Promise.withResolvers<void>();
    let restarts = 0;
    const script = "echo x >>runs; echo ready; [ $(wc -l <runs) -gt 3 ] && exec sleep 60; exit 1";
    const { started, delays } = supervise(script, () => {
      restarts += 1;
      if (restarts === 3) back.resolve();
    });
    const thing = await started;
    await back.promise;
    await thing.close();
    assert.deepEqual(delays, [500, 1000, 2000]);
  });

  it("waits at most half a minute", () => {
    assert.deepEqual([1, 2, 3, 7, 50].map(restartDelayMs), [500, 1000, 2000, 30_000, 30_000]);
  });
});

describe("a program that is not installed", () => {
  it("is named, with what installs it and what to do without", async () => {
    const without = { purpose: "DHCP", instead: "set dhcp.mode to none" };
    await assertInstalled(["tar"], without);
    const path = process.env["PATH"];
    process.env["PATH"] = "/nowhere";
    try {
      await assert.rejects(assertInstalled(["tar", "dnsmasq"], without), {
        reason: "unsupported",
        message:
          'DHCP needs tar, dnsmasq, which are not installed; install them with "apt-get install dnsmasq-base tar", or set dhcp.mode to none',
      });
    } finally {
      process.env["PATH"] = path;
    }
  });
});
