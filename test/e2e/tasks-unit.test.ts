// First-boot tasks under a real systemd, in the unit that a reimage installs, beside the agent in its sandbox.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import type { TasksReport } from "../../proto/gen/pallet/v1/node.ts";
import { agentPrograms } from "../../proto/system/agent-program.ts";
import { planAgentStart } from "../../proto/system/plan-agent-start.ts";
import { tasksPath } from "../../proto/system/render-tasks-units.ts";
import { renderTasks } from "../../proto/system/tasks/render-tasks.ts";
import { requires } from "../requirements.ts";
import { script } from "../unit/agent/tasks/a-runner.ts";
import { until } from "../until.ts";
import { bootSystemdWith, logOf, nodeInside, type SystemdMachine, scriptInside } from "./systemd/systemd-machine.ts";

const patience = { withinMs: 60_000, everyMs: 200 };
const tasks = [
  script(
    "free",
    "cat /proc/self/cgroup; grep CapEff /proc/self/status; touch /etc/changed-by-a-task; setsid sleep 301 &",
  ),
  script("join", 'cat "$PALLET_SECRETS/token"; test -e /etc/mended || exit 7', { secrets: { token: "open sesame" } }),
];

describe("the unit of first-boot tasks", { ...requires("root"), timeout: 300_000 }, () => {
  let machine: SystemdMachine;
  const run = (...command: readonly [string, ...string[]]): Promise<string> => machine.run(...command);
  const log = (): string => readFileSync(path.join(machine.out, "log"), "utf8");

  before(async () => {
    machine = await bootSystemdWith([
      { path: agentPrograms.resident, content: { text: await scriptInside("agent") }, mode: 0o755 },
      ...planAgentStart("systemd", "resident", { init: undefined, systemd: undefined, inittab: undefined }),
      { path: tasksPath, content: { text: renderTasks(tasks, "ab".repeat(32)) }, mode: 0o600 },
      logOf("pallet-agent.service"),
      logOf("pallet-tasks.service"),
    ]);
  });
  after(() => machine?.close());

  it("gives them all of the system, and ends with them what they leave running, even in a session of its own", async () => {
    await until(() => log().includes("join: failed: exit code 7"), log, patience);
    assert.match(log(), /^free: 0::.*\/pallet-tasks\.service$/m);
    const [all] = /^CapEff:.*$/m.exec(await run("cat", "/proc/1/status")) ?? assert.fail();
    assert.ok(log().includes(`free: ${all}\n`), "a task has less than the system's first process");
    await run("test", "-e", "/etc/changed-by-a-task");
    assert.equal(await run("sh", "-c", "pgrep -x sleep || true"), "");
    assert.equal(await run("systemctl", "show", "--property=Result", "--value", "pallet-tasks"), "success");
  });

  it("is started by the agent, from its sandbox, when failed ones are to be tried again", async () => {
    await until(() => /"task":"join".*task join failed: exit code 7/.test(log()), log, patience);
    await run("touch", "/etc/mended");
    const told = JSON.parse(await run(nodeInside, "/mnt/checkout/test/e2e/systemd/retry-tasks.ts")) as TasksReport;
    assert.deepEqual(
      told.tasks.map(({ name, problem }) => [name, problem]),
      [
        ["free", ""],
        ["join", "exit code 7"],
      ],
    );
    await until(() => log().includes("join: succeeded"), log, patience);
    await until(() => log().includes("task join succeeded"), log, patience);
    assert.equal((log().match(/^free: started/gm) ?? []).length, 1);
    assert.doesNotMatch(await run("cat", tasksPath), /sesame/);
    assert.doesNotMatch(log(), /sesame/);
  });

  it("runs none of them again at the next start", async () => {
    await run("systemctl", "restart", "pallet-tasks");
    await until(
      async () => (await run("systemctl", "show", "--property=ActiveState", "--value", "pallet-tasks")) === "inactive",
      log,
      patience,
    );
    assert.equal((log().match(/: started/g) ?? []).length, 3);
  });
});
