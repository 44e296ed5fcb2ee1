// Profiles: what two nodes that are not the same become, what is changed when a profile is edited, and what hostile ones come to.
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import { readRootFile } from "./card-content.ts";
import { createRack, type Rack } from "./rack.ts";
import { tell } from "./story.ts";

const MiB = 1024 * 1024;
const canary = "canary-5f1e0a77";

const everyone = `priority: -1
system:
  hostname: "{{ name }}"
  files:
    - { path: /etc/pallet-test/token, secretFile: secrets/token }
    - { path: /etc/motd, content: "rack {{ labels.rack }}, number {{ index }}\\n", mode: "0640" }
`;
const racks = `match: { labels: rack=a }
system:
  hostname: "{{ labels.rack }}-{{ index }}"
  ssh: { ownHostKeys: true }
`;

/** What a node is known to have been made. */
interface Known {
  readonly name: string;
  readonly index: number;
  readonly config: {
    readonly digest: string;
    readonly profiles: readonly string[];
    readonly hostKeys: readonly { readonly key: string; readonly fingerprint: string }[];
  } | null;
  readonly agent: { readonly installed: { readonly config?: string } | null } | null;
}

/** The command lines and environments of all processes, as ps(1) shows them to everybody. */
async function processes(): Promise<string> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const texts = ids.map((id) => readFile(`/proc/${id}/cmdline`, "latin1").catch(() => ""));
  return (await Promise.all(texts)).join("\n");
}

describe("profiles", requires("root", "loop devices"), () => {
  let rack: Rack;
  let image: TinyImage;
  const onRack = (title: string, body: () => Promise<void>) => it(title, { timeout: 480_000 }, () => tell(rack, body));
  const write = (name: string, text: string, mode = 0o644) =>
    writeFile(path.join(rack.folder, "profiles", name), text, { mode });
  const show = async (node: string): Promise<Known> =>
    JSON.parse(await rack.palletOk("node", "show", node, "--json")) as Known;
  const unchangedIn = (output: string): readonly [string, boolean][] =>
    JSON.parse(output).plans.map((plan: { nodeName: string; unchanged: string | null }) => [
      plan.nodeName,
      plan.unchanged !== null,
    ]);

  before(async () => {
    rack = await createRack({ nodes: 2 });
    image = await makeTinyImage({
      ...{ folder: rack.folder, name: "image" },
      files: {
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
        "etc/group": "root:x:0:\n",
        "etc/shadow": "root:*:19000:0:99999:7:::\n",
        "etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\n",
        "usr/sbin/sshd": "#!/bin/sh\n",
      },
    });
    await mkdir(path.join(rack.folder, "profiles/secrets"), { recursive: true });
    await write("secrets/token", `${canary}\n`, 0o600);
    await write("everyone.yaml", everyone);
    await write("racks.yaml", racks);
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
    for (const [index, name] of ["pi-1", "pi-2"].entries())
      await rack.palletOk("node", "rename", rack.board(index + 1).mac, name);
    await rack.palletOk("node", "label", "pi-1", "rack=a");
    await rack.palletOk("node", "label", "pi-2", "rack=b");
  });
  after(() => rack.close());

  onRack("are shown before anything is written, without their secrets", async () => {
    assert.match(await rack.palletOk("images", "show", "image"), /^profiles +.*SSH server: openssh/m);
    assert.match(
      await rack.palletOk("profiles", "check"),
      /2 profiles in .*: nothing is wrong, for 2 accepted nodes too/,
    );
    const shown = await rack.palletOk("profiles", "show", "pi-1");
    assert.match(shown, /^hostname: a-\d$/m);
    assert.match(shown, /^\/etc\/hostname +/m);
    assert.match(shown, /content: \(secret\)/);
    const dryRun = await rack.palletOk("reimage", "--all", "--dry-run");
    assert.match(dryRun, /Configure the new system by the profiles everyone, racks\./);
    assert.match(dryRun, /^NODE .* CONFIG /m);
    assert.doesNotMatch(shown + dryRun, new RegExp(canary));
  });

  onRack("make two nodes of different labels two systems, and the proof bears what they were made", async () => {
    let seen = "";
    const watching = new AbortController();
    const watch = async (): Promise<void> => {
      while (!watching.signal.aborted) {
        const texts = await processes();
        if (texts.includes(canary)) seen = texts;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const watched = watch();
    const printed = await rack.palletOk("reimage", "--all", "--yes", "--json").finally(() => watching.abort());
    await watched;
    assert.equal(seen, "", "a secret stood in the command line of a process");
    assert.doesNotMatch(printed, new RegExp(canary));

    const [one, two] = [await show("pi-1"), await show("pi-2")];
    const hosts = await Promise.all(
      [1, 2].map((number) => readRootFile(rack.board(number).card, image, "/etc/hostname")),
    );
    assert.deepEqual(
      hosts.map((name) => name.trim()),
      [`a-${one.index}`, "pi-2"],
    );
    assert.deepEqual([one.config?.profiles, two.config?.profiles], [["everyone", "racks"], ["everyone"]]);
    for (const { config, agent } of [one, two]) {
      assert.ok(config !== null);
      assert.equal(agent?.installed?.config, config.digest);
    }
    assert.notEqual(one.config?.digest, two.config?.digest);
    const [rollout] = await rack.client.rollouts();
    assert.deepEqual(
      rollout?.reimages.map(({ proof }) => proof?.config),
      [one.config?.digest, two.config?.digest],
    );
    const { card } = rack.board(1);
    assert.equal((await readRootFile(card, image, "/etc/pallet-test/token")).trim(), canary);
    assert.equal(await readRootFile(card, image, "/etc/motd"), `rack a, number ${one.index}`);
  });

  onRack("give each system host keys of its own, which known_hosts gets", async () => {
    const keys = await Promise.all(
      ["pi-1", "pi-2"].map(async (name) => (await show(name)).config?.hostKeys.map(({ key }) => key) ?? []),
    );
    assert.equal(keys.flat().length, 2);
    assert.notDeepEqual(keys[0], keys[1]);
    for (const [index, [key = ""]] of keys.entries()) {
      const onCard = await readRootFile(rack.board(index + 1).card, image, "/etc/ssh/ssh_host_ed25519_key.pub");
      assert.ok(onCard.startsWith(key), onCard);
    }
    const file = path.join(rack.folder, "known_hosts");
    await writeFile(file, await rack.palletOk("ssh", "known-hosts"));
    const { stdout } = await execa("ssh-keygen", ["-F", "pi-1", "-l", "-f", file]);
    const [fingerprint] = (await show("pi-1")).config?.hostKeys ?? [];
    assert.match(stdout, new RegExp(`pi-1 ED25519 ${fingerprint?.fingerprint.replace(/[+/]/g, "\\$&")}`));
    assert.match(await rack.palletOk("node", "show", "pi-1"), /^host key +SHA256:\S+ \(ssh-ed25519\)$/m);
    const inventory = JSON.parse(await rack.palletOk("inventory", "--list")) as Record<string, { hosts: string[] }>;
    assert.deepEqual(inventory["profile_everyone"]?.hosts, ["pi-1", "pi-2"]);
    assert.deepEqual(inventory["profile_racks"]?.hosts, ["pi-1"]);
  });

  onRack("change exactly the nodes for which they say something else", async () => {
    const changed = () => rack.palletOk("reimage", "--all", "--only-changed", "--dry-run", "--json");
    assert.deepEqual(unchangedIn(await changed()), [
      ["pi-1", true],
      ["pi-2", true],
    ]);
    await write("racks.yaml", racks.replace("{{ labels.rack }}-", "rack-{{ labels.rack }}-"));
    assert.deepEqual(unchangedIn(await changed()), [
      ["pi-1", false],
      ["pi-2", true],
    ]);
    await rack.palletOk("reimage", "--all", "--only-changed", "--yes");
    const { index } = await show("pi-1");
    assert.equal((await readRootFile(rack.board(1).card, image, "/etc/hostname")).trim(), `rack-a-${index}`);
    assert.deepEqual(unchangedIn(await changed()), [
      ["pi-1", true],
      ["pi-2", true],
    ]);
  });

  onRack(
    "are refused, all of their problems at once, when they lead outside, fail, or are absurdly large",
    async () => {
      const before = await show("pi-1");
      await write("huge", "x".repeat(2 * MiB));
      await write(
        "zz.yaml",
        `system:
  hostname: "{{ labels.nothing }}"
  files:
    - { path: /etc/../../outside, content: x }
    - { path: /etc/huge, contentFile: huge }
    - { path: /etc/passwd-of-here, contentFile: ../../../../etc/passwd }
`,
      );
      const broken = await rack.pallet("reimage", "pi-1", "--dry-run");
      assert.equal(broken.exitCode, 1);
      assert.match(broken.stderr, /zz\.yaml line 5 column \d+: system\.files\[1\]\.contentFile: .*has 2097152 bytes/);
      assert.match(broken.stderr, /zz\.yaml line 6 column \d+: system\.files\[2\]\.contentFile: .*without "\.\."/);
      await write("zz.yaml", 'system: { hostname: "{{ labels.nothing }}" }\n');
      const failing = await rack.pallet("reimage", "pi-1", "--yes");
      assert.equal(failing.exitCode, 1);
      assert.match(
        failing.stdout + failing.stderr,
        /zz\.yaml line 1 .*system\.hostname: the template uses labels\.nothing/,
      );
      await write("zz.yaml", "system: { files: [{ path: /etc/../../outside, content: x }] }\n");
      const outside = await rack.pallet("reimage", "pi-1", "--yes");
      assert.equal(outside.exitCode, 1);
      assert.match(outside.stdout + outside.stderr, /zz\.yaml line 1 .*system\.files\[\d\]\.path: /);
      const untouched = await rack.pallet("reimage", "pi-1", "--no-resident", "--yes");
      assert.equal(untouched.exitCode, 1);
      await rm(path.join(rack.folder, "profiles/zz.yaml"));
      const noResident = await rack.pallet("reimage", "pi-1", "--no-resident", "--yes");
      assert.match(noResident.stdout, /--no-resident leaves the image untouched: give --no-profiles too/);
      assert.deepEqual((await show("pi-1")).config, before.config);
    },
  );

  onRack("keep their secrets out of everything that the controller keeps and says", async () => {
    const events = await rack.palletOk("events", "--json");
    const logs = await rack.palletOk("node", "logs", "--json");
    const said = [events, logs, rack.lastWords(100_000)].join("\n");
    assert.ok(events.length > 100);
    assert.ok(!said.includes(canary), "a secret was said");
    const { exitCode, stdout } = await execa("grep", ["-rlF", canary, rack.stateDirectory], { reject: false });
    assert.deepEqual([exitCode, stdout], [1, ""]);
    // The search finds what is there.
    const there = await execa("grep", ["-rlF", canary, path.join(rack.folder, "profiles")]);
    assert.match(there.stdout, /secrets\/token/);
  });
});
