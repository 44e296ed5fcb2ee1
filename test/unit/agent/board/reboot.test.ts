import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { pino } from "pino";
import { prepareReboot, selectRebootCommand } from "../../../../agent/board/reboot.ts";

const log = pino({ level: "silent" });

describe("selectRebootCommand", () => {
  const table: {
    title: string;
    configured?: string[];
    systemdRuns: boolean;
    installed: string[];
    expected: string[] | undefined;
  }[] = [
    {
      title: "the configured one first",
      configured: ["x"],
      systemdRuns: true,
      installed: ["systemctl"],
      expected: ["x"],
    },
    {
      title: "systemd where it runs",
      systemdRuns: true,
      installed: ["reboot", "systemctl"],
      expected: ["systemctl", "reboot"],
    },
    {
      title: "reboot(8) where systemd is installed but does not run",
      systemdRuns: false,
      installed: ["systemctl", "reboot", "busybox"],
      expected: ["reboot", "-f"],
    },
    {
      title: "busybox where there is nothing else",
      systemdRuns: false,
      installed: ["busybox"],
      expected: ["busybox", "reboot", "-f"],
    },
    { title: "nothing where there is nothing", systemdRuns: false, installed: [], expected: undefined },
  ];
  for (const { title, configured, systemdRuns, installed, expected } of table) {
    it(`chooses ${title}`, () => {
      const isInstalled = (program: string) => installed.includes(program);
      assert.deepEqual(selectRebootCommand({ configured, systemdRuns, isInstalled }), expected);
    });
  }
});

describe("prepareReboot", () => {
  it("runs the configured command, without a shell, only when it is called", async (test) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-reboot-"));
    test.after(() => rm(folder, { recursive: true }));
    const mark = path.join(folder, "a;b");
    let said = false;
    const reboot = await prepareReboot(["touch", mark], log, async () => {
      assert.ok(!existsSync(mark));
      said = true;
    });
    await assert.rejects(readFile(mark));
    assert.ok(!said);
    await reboot();
    assert.ok(said);
    assert.equal(await readFile(mark, "utf8"), "");
  });

  it("rejects when the command fails", async () => {
    const reboot = await prepareReboot(["false"], log, async () => {});
    await assert.rejects(reboot());
  });
});
