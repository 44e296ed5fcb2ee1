// The documented profile of a node that configures itself, run as a node runs its tasks: a real ansible-pull, and a real git daemon.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { runTasks } from "../../agent/tasks/run-tasks.ts";
import { createProfileFolder } from "../../controller/profiles/profile-folder.ts";
import { Failure } from "../../proto/failure.ts";
import type { TaskConfig } from "../../proto/system/system-config.ts";
import { ended, spawnLeashed } from "../programs/leashed-process.ts";
import { withoutPallet } from "../programs/without-pallet.ts";
import { readBlock } from "../rack/documented/read-documentation.ts";
import { createScratchFolder, type ScratchFolder } from "../rack/scratch-folder.ts";
import { requires } from "../requirements.ts";
import { makeSystem, type SystemWithTasks } from "../unit/agent/tasks/a-runner.ts";
import { aNode } from "../unit/controller/boot/a-node.ts";
import { until } from "../until.ts";

const never = new AbortController().signal;
const playbook = (module: string): string => `- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ${module}
`;

describe("a node that configures itself by ansible-pull", requires("root", "Ansible"), () => {
  let scratch: ScratchFolder;
  let system: SystemWithTasks;
  let daemon: ReturnType<typeof spawnLeashed> | undefined;
  const file = (name: string): string => path.join(scratch.path, name);
  const git = (...args: string[]) =>
    promisify(execFile)("git", args, {
      cwd: file("work"),
      env: {
        PATH: process.env["PATH"],
        HOME: scratch.path,
        ...{ GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@b", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@b" },
      },
    });
  const commit = async (text: string): Promise<void> => {
    await writeFile(file("work/local.yml"), text);
    await git("add", ".");
    await git("commit", "--quiet", "--message=site");
    await git("push", "--quiet", file("served/site.git"), "HEAD:refs/heads/main");
  };

  before(async () => {
    scratch = await createScratchFolder("pallet-ansible-pull-");
    for (const name of ["work", "served", "profiles"]) await mkdir(file(name));
    await git("init", "--quiet", "--initial-branch=main", ".");
    await git("init", "--quiet", "--bare", "--initial-branch=main", file("served/site.git"));
    await commit(playbook(`copy: { dest: "${file("configured")}", content: "{{ pallet_name }}\\n" }`));
    const port = await freePort();
    daemon = spawnLeashed(
      "git",
      ["daemon", "--export-all", `--base-path=${file("served")}`, "--listen=127.0.0.1", `--port=${port}`],
      withoutPallet(process.env),
    );
    daemon.stderr?.resume();
    const isThere = () =>
      git("ls-remote", `git://127.0.0.1:${port}/site.git`).then(
        () => true,
        () => false,
      );
    await until(isThere, "git daemon does not answer");
    const [task] = await documentedTasks();
    assert.ok(task?.run.kind === "command");
    const words = task.run.words.map((word) =>
      word.replace("git://10.0.0.1/", `git://127.0.0.1:${port}/`).replace("/var/lib/ansible-pull", file("checkout")),
    );
    assert.notDeepEqual(words, task.run.words);
    system = await makeSystem(() => [{ ...task, run: { kind: "command", words } }]);
  });
  after(async () => {
    if (daemon !== undefined) {
      daemon.kill("SIGTERM");
      await ended(daemon);
    }
    await system?.remove();
    await scratch.remove();
  });

  async function documentedTasks(): Promise<readonly TaskConfig[]> {
    await writeFile(file("profiles/a.yaml"), (await readBlock("ansible-pull profile")).text);
    const set = await createProfileFolder(file("profiles"), new Uint8Array(32)).read();
    const made = await set.systemFor(aNode({ name: "pi-1", labels: { "configured-by": "ansible-pull" } }), "debian");
    assert.ok(made !== undefined && !(made instanceof Failure), String(made));
    return made.config.tasks ?? [];
  }

  it("runs its playbook, which knows the node's name", { timeout: 300_000 }, async () => {
    await runTasks(system.runner, never);
    const [result] = await system.results();
    assert.equal(result?.state, "succeeded", system.journal.join("\n"));
    assert.equal(await readFile(file("configured"), "utf8"), "pi-1\n");
  });

  it("fails with Ansible's last words, and goes on once that is mended in git", { timeout: 300_000 }, async () => {
    await rm(file("configured"));
    await commit(playbook('fail: { msg: "no such role" }'));
    await rm(path.join(system.folder, "state"), { recursive: true });
    await runTasks(system.runner, never);
    const [failed] = await system.results();
    assert.equal(failed?.state, "failed");
    assert.match(failed?.output ?? "", /no such role/);
    await commit(playbook(`file: { path: "${file("mended")}", state: touch }`));
    await system.retry();
    await runTasks(system.runner, never);
    assert.equal((await system.results())[0]?.state, "succeeded");
    assert.equal(await readFile(file("mended"), "utf8"), "");
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : assert.fail("no port");
}
