import assert from "node:assert/strict";
import { chmod, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { checkProfiles } from "../../../../controller/profiles/check-profiles.ts";
import { renderConfig } from "../../../../controller/profiles/describe-config.ts";
import { renderProblem } from "../../../../controller/profiles/located.ts";
import type { NodeSystem } from "../../../../controller/profiles/node-system.ts";
import { createProfileFolder, type ProfileFolder } from "../../../../controller/profiles/profile-folder.ts";
import { Failure } from "../../../../proto/failure.ts";
import { execa } from "../../../../proto/linux/leashed-execa.ts";
import { assertGolden } from "../../../golden.ts";
import { aNode } from "../boot/a-node.ts";
import { aFacts } from "./a-facts.ts";
import { aFolderOfProfiles } from "./a-folder-of-profiles.ts";

const key = new Uint8Array(32).fill(7);
const publicKey = `ssh-ed25519 ${Buffer.from(`\0\0\0\x0bssh-ed25519\0\0\0 ${"k".repeat(32)}`, "latin1").toString("base64")}`;
const passwordHash = "$6$salt$UxM4rkJUfRqz4sKBuoRYOTXKvxbWpm2PmUzcvtWcIPMzeuZkBCmoIRABZbXdRANSfJvuQ2PmLPZDZfeRTVhOW1";

async function systemOf(folder: ProfileFolder, node = aNode({ name: "pi-1", index: 1 }), image = "debian") {
  return (await folder.read()).systemFor(node, image);
}

async function succeeds(folder: ProfileFolder, node?: ReturnType<typeof aNode>, image?: string): Promise<NodeSystem> {
  const system = await systemOf(folder, node, image);
  assert.ok(system !== undefined && !(system instanceof Failure), String(system));
  return system;
}

async function failureOf(folder: ProfileFolder, node?: ReturnType<typeof aNode>): Promise<string> {
  const system = await systemOf(folder, node).catch((error: unknown) => error);
  assert.ok(system instanceof Failure, JSON.stringify(system));
  assert.equal(system.reason, "invalid");
  return system.message;
}

describe("a folder of profiles", () => {
  it("that is not there has none", async () => {
    const folder = createProfileFolder("/nonexistent/profiles", key);
    assert.deepEqual((await folder.read()).profiles, []);
    assert.equal(await systemOf(folder), undefined);
  });

  it("is read once or twice for all nodes that ask at once, and anew for who asks after a change", async (test) => {
    const directory = await aFolderOfProfiles(test, { "a.yaml": "system: { hostname: a }" });
    const folder = createProfileFolder(directory, key);
    const asked = await Promise.all(Array.from({ length: 200 }, () => folder.read()));
    assert.equal(new Set(asked).size, 2);
    const before = folder.read();
    // At once: what is asked already may read it in the middle of a write.
    await writeFile(join(directory, ".a.yaml"), "system: { hostname: b }");
    await rename(join(directory, ".a.yaml"), join(directory, "a.yaml"));
    const after = await folder.read();
    await before;
    const system = await after.systemFor(aNode({ name: "pi-1", index: 1 }), "debian");
    assert.ok(system !== undefined && !(system instanceof Failure), String(system));
    assert.equal(system.config.hostname, "b");
  });

  it("chooses by labels, name, model and image, all of which have to fit, and merges by priority, then by name", async (test) => {
    const directory = await aFolderOfProfiles(test, {
      "z.yaml": "system: { hostname: z, timezone: UTC }",
      "a.yml": "system: { hostname: a, locale: C.UTF-8 }",
      "high.yaml":
        "priority: 1\nmatch: { labels: 'rack=a', name: 'PI-*', model: 'Raspberry Pi 4*', image: 'deb*' }\nsystem: { hostname: high }",
      "low.yaml": "priority: -1\nsystem: { hostname: low, keyboard: { layout: ch } }",
      ".hidden.yaml": "nonsense",
      "readme.md": "nonsense",
    });
    const folder = createProfileFolder(directory, key);
    const node = aNode({
      name: "pi-1",
      labels: { rack: "a" },
      facts: aFacts({ model: "Raspberry Pi 4 Model B Rev 1.4" }),
    });
    const all = await succeeds(folder, node);
    assert.deepEqual(all.config, { hostname: "high", timezone: "UTC", locale: "C.UTF-8", keyboard: { layout: "ch" } });
    assert.deepEqual(all.summary.profiles, ["low", "a", "z", "high"]);
    for (const other of [{ name: "db-1" }, { labels: { rack: "b" } }, { facts: aFacts({ model: "Raspberry Pi 5" }) }])
      assert.deepEqual((await succeeds(folder, { ...node, ...other })).summary.profiles, ["low", "a", "z"]);
    const { facts: _, ...unseen } = node;
    assert.deepEqual((await succeeds(folder, unseen)).summary.profiles, ["low", "a", "z"]);
    assert.deepEqual((await succeeds(folder, node, "ubuntu")).summary.profiles, ["low", "a", "z"]);
  });

  it("has a digest that changes with what is said, and with the key, but not with how it is written", async (test) => {
    const directory = await aFolderOfProfiles(test, { "a.yaml": "system: { hostname: a, timezone: UTC }" });
    const digestOf = async (withKey = key) => (await succeeds(createProfileFolder(directory, withKey))).summary.digest;
    const first = await digestOf();
    assert.match(first, /^[0-9a-f]{64}$/);
    assert.notEqual(await digestOf(new Uint8Array(32)), first);
    await writeFile(join(directory, "a.yaml"), "system:\n  timezone: 'UTC' # as ever\n  hostname: a\n");
    assert.equal(await digestOf(), first);
    await writeFile(join(directory, "a.yaml"), "system: { hostname: b, timezone: UTC }");
    assert.notEqual(await digestOf(), first);
  });

  it("reads the files that profiles name, secrets only when nobody else can", async (test) => {
    const directory = await aFolderOfProfiles(test, {
      "a.yaml": `system:
  users: [{ name: ada, passwordHashFile: secret/ada, authorizedKeysFile: keys/ada.pub }]
  files:
    - { path: /etc/motd, contentFile: "motd/{{ labels.rack }}" }
    - { path: /etc/token, secretFile: secret/token }
  tasks: [{ name: join, scriptFile: join.sh, secretFiles: { TOKEN: secret/token } }]
`,
      "secret/ada": `${passwordHash}\n`,
      "secret/token": "canary\n",
      "keys/ada.pub": `# of Ada\n${publicKey} ada\n\n`,
      "motd/a": "rack a\n",
      "join.sh": "#!/bin/sh\ntrue\n",
    });
    const folder = createProfileFolder(directory, key);
    const node = aNode({ name: "pi-1", labels: { rack: "a" } });
    const { config } = await succeeds(folder, node);
    const text = (bytes: string) => ({ kind: "file", bytes: Buffer.from(bytes) });
    assert.deepEqual(config.users, [{ name: "ada", passwordHash, authorizedKeys: [`${publicKey} ada`] }]);
    assert.deepEqual(config.files, [
      { path: "/etc/motd", content: text("rack a\n") },
      { path: "/etc/token", content: text("canary\n"), secret: true },
    ]);
    assert.deepEqual(config.tasks?.[0]?.secrets, { TOKEN: "canary" });
    assert.deepEqual(config.tasks?.[0]?.run, { kind: "script", text: "#!/bin/sh\ntrue\n" });

    await chmod(join(directory, "secret/token"), 0o640);
    await rm(join(directory, "secret/ada"));
    const message = await failureOf(folder, node);
    assert.match(message, /^the profiles have 3 problems:$/m);
    assert.match(
      message,
      /a\.yaml line 2 column 42: system\.users\[0\]\.passwordHashFile: \S+\/secret\/ada is not there/,
    );
    assert.match(
      message,
      /system\.files\[1\]\.secretFile: \S+\/secret\/token is a secret that others may read: chmod 600/,
    );
    assert.match(message, /system\.tasks\[0\]\.secretFiles\.TOKEN: /);
    assert.doesNotMatch(message, /canary/);
  });

  it("leads no file name out of itself, whatever a node says of itself", async (test) => {
    const directory = await aFolderOfProfiles(test, {
      "a.yaml": 'system: { files: [{ path: /a, contentFile: "boards/{{ model }}" }] }',
      "b.yaml": "system: { files: [{ path: /b, contentFile: /etc/passwd }, { path: /c, contentFile: ../x }] }",
    });
    const folder = createProfileFolder(directory, key);
    const { problems } = await folder.look();
    assert.deepEqual(
      problems.map(({ place }) => place.field),
      ["system.files[0].contentFile", "system.files[1].contentFile"],
    );
    await rm(join(directory, "b.yaml"));
    const facts = aFacts({ model: "../../../etc/passwd" });
    assert.match(
      await failureOf(folder, aNode({ facts })),
      /files\[0\]\.contentFile: a file is named by its path from/,
    );
  });

  it("takes no pipe, no folder and nothing huge for a file", async (test) => {
    const directory = await aFolderOfProfiles(test, {
      "a.yaml": "system: { files: [{ path: /a, contentFile: folder }, { path: /b, contentFile: huge }] }",
      huge: "x".repeat(1024 * 1024 + 1),
    });
    await mkdir(join(directory, "folder"));
    await mkdir(join(directory, "b.yaml"));
    await symlink("a.yaml", join(directory, "c.yaml"));
    await writeFile(join(directory, "d.yaml"), `system: {}\n${"# long\n".repeat(40_000)}`);
    const message = await failureOf(createProfileFolder(directory, key));
    assert.match(message, /b\.yaml: is no file/);
    assert.match(message, /d\.yaml: has \d+ bytes; a profile has at most 262144/);
    assert.match(message, /a\.yaml line 1 .*contentFile: \S+\/folder is no file/);
    assert.match(message, /\/huge has 1048577 bytes/);
  });

  it("waits for no pipe that is in the place of a profile", { timeout: 20_000 }, async (test) => {
    const directory = await aFolderOfProfiles(test, { "b.yaml": "system: {}" });
    await execa("mkfifo", [join(directory, "a.yaml")]);
    assert.match(await failureOf(createProfileFolder(directory, key)), /a\.yaml: is no file/);
  });

  it("takes no text that is none in UTF-8, but any bytes for a file of a system", async (test) => {
    const directory = await aFolderOfProfiles(test, {
      "a.yaml": `system:
  files: [{ path: /etc/a, contentFile: latin }, { path: /etc/b, secretFile: secret }]
  users: [{ name: ada, authorizedKeysFile: latin, passwordHashFile: secret }]
  tasks: [{ name: a, scriptFile: latin, secretFiles: { TOKEN: secret } }]
  userDataFile: secret
`,
    });
    const latin = Buffer.from("#!/bin/sh\n# Z\u00fcrich\n", "latin1");
    await writeFile(join(directory, "latin"), latin);
    await writeFile(join(directory, "secret"), latin, { mode: 0o600 });
    await writeFile(join(directory, "b.yaml"), Buffer.from("system: { hostname: z\u00fcrich }", "latin1"));
    const { problems } = await createProfileFolder(directory, key).look();
    assert.deepEqual(
      problems.map(({ place, problem }) => [place.field, problem.replace(/^\S+\//, "")]),
      [
        ["system.users[0].authorizedKeysFile", "latin is no text in UTF-8; save it as that"],
        ["system.users[0].passwordHashFile", "secret is no text in UTF-8; save it as that"],
        ["system.tasks[0].scriptFile", "latin is no text in UTF-8; save it as that"],
        ["system.tasks[0].secretFiles.TOKEN", "secret is no text in UTF-8; save it as that"],
        ["system.userDataFile", "secret is no text in UTF-8; save it as that"],
        ["", "is no text in UTF-8; save it as that"],
      ],
    );
  });

  it("follows links as far as they stay in it", async (test) => {
    const outside = await aFolderOfProfiles(test, { motd: "canary\n", "b.yaml": "system: { timezone: UTC }" });
    const directory = await aFolderOfProfiles(test, {
      "a.yaml": "system: { files: [{ path: /etc/a, contentFile: inside }] }",
      "files/motd": "hello\n",
    });
    // As Kubernetes mounts a ConfigMap; and a profile that is kept elsewhere.
    await symlink("files", join(directory, "..data"));
    await symlink("..data/motd", join(directory, "inside"));
    await symlink(join(outside, "b.yaml"), join(directory, "b.yaml"));
    const place = join(outside, "profiles");
    await symlink(directory, place);
    const folder = createProfileFolder(place, key);
    assert.deepEqual((await succeeds(folder)).config.files, [
      { path: "/etc/a", content: { kind: "file", bytes: Buffer.from("hello\n") } },
    ]);
    await symlink(outside, join(directory, "out"));
    await symlink(join(outside, "motd"), join(directory, "leads"));
    await writeFile(
      join(directory, "c.yaml"),
      "system: { files: [{ path: /etc/b, contentFile: out/motd }, { path: /etc/c, contentFile: leads }] }",
    );
    const message = await failureOf(folder);
    assert.match(message, /files\[0\]\.contentFile: \S+\/out\/motd leads out of \S+ by a link/);
    assert.match(message, /files\[1\]\.contentFile: \S+\/leads leads out of \S+ by a link/);
  });

  it("is told what several nodes cannot all be, with its place and their names", async (test) => {
    const directory = await aFolderOfProfiles(test, {
      "a.yaml":
        "system: { hostname: '{{ name }}', network: { interfaces: [{ name: eth0, addresses: [10.0.0.7/24] }] } }",
      "b.yaml": "match: { name: pi-1 }\nsystem: { hostname: pi-2, network: { interfaces: null } }",
    });
    const nodes = ["pi-1", "pi-2", "pi-3"].map((name) => aNode({ name }));
    const checked = await checkProfiles(createProfileFolder(directory, key), nodes, async () => "debian");
    assert.deepEqual(
      checked.problems.map((problem) => [renderProblem(problem).replace(/; .*/, ""), problem.nodes]),
      [
        [
          `${directory}/b.yaml line 2 column 21: system.hostname: several nodes would have the host name pi-2`,
          ["pi-1", "pi-2"],
        ],
        [
          `${directory}/a.yaml line 1 column 85: system.network.interfaces[0].addresses[0]: several nodes would have the address 10.0.0.7`,
          ["pi-2", "pi-3"],
        ],
      ],
    );
  });

  it("tells at once what is wrong with shapes, values, files and templates, without a node", async (test) => {
    const directory = await aFolderOfProfiles(test, {
      "a.yaml": `system:
  hostname: Pi_1
  timezone: "{{ labels.tz }}"
  locale: "{{ name"
  users:
    - { name: "{{ name }}", uid: 65534, shell: bash, passwordHashFile: secret }
    - { name: Ada, groups: wheel, sudo: no-password }
  network:
    interfaces: [{ name: eth0, gateways: [10.0.0.1] }, { name: eth1, addresses: [10.0.0.300/24] }]
  files:
    - { path: /etc/pallet/agent.json, content: x }
    - { path: /srv/a/b, content: x }
    - { path: /srv/a, folder: true }
  tasks:
    - { name: a, scriptFile: join.sh, timeout: 0s }
    - { name: b, timeout: 5m }
  unit: []
`,
      secret: "canary",
      "join.sh": "echo\n",
    });
    await chmod(join(directory, "secret"), 0o600);
    const { problems } = await createProfileFolder(directory, key).look();
    assert.doesNotMatch(JSON.stringify(problems), /canary/);
    assert.deepEqual(
      problems.map(({ place }) => place.field),
      [
        "system.users[1].groups",
        "system.unit",
        "system.locale",
        "system.hostname",
        "system.users[0].uid",
        "system.users[0].shell",
        "system.users[0].passwordHashFile",
        "system.users[1].name",
        "system.network.interfaces[1].addresses[0]",
        "system.files[0].path",
        "system.tasks[0].scriptFile",
        "system.tasks[0].timeout",
      ],
    );
  });

  it("takes from a profile what another one completes", async (test) => {
    const directory = await aFolderOfProfiles(test, {
      "a.yaml": `system:
  network:
    interfaces:
      - { name: eth0, gateways: [10.0.0.1] }
      - { name: eth1, addresses: ["10.0.1.{{ index | default: 7 }}/24", 10.0.2.7/24], gateways: [10.0.1.1] }
  files: [{ path: /srv/a/b, content: x }, { path: /etc/a, mode: "0600" }]
  tasks: [{ name: a, timeout: 5m }]
  units: [{ name: a.service }]
  keyboard: { model: pc105 }
`,
      "b.yaml": `system:
  network: { interfaces: [{ name: eth0, addresses: [10.0.0.7/24] }] }
  files: [{ path: /etc/a, content: x }]
  tasks: [{ name: a, command: [x] }]
  units: [{ name: a.service, state: masked }]
  keyboard: { layout: ch }
`,
    });
    await succeeds(createProfileFolder(directory, key));
  });

  it("is refused whole when two profiles have one name", async (test) => {
    const directory = await aFolderOfProfiles(test, { "a.yaml": "system: {}", "b.yaml": "name: a\nsystem: {}" });
    const { profiles, problems } = await createProfileFolder(directory, key).look();
    assert.deepEqual(
      profiles.map(({ name }) => name),
      ["a"],
    );
    assert.deepEqual(problems.map(renderProblem), [
      `${directory}/b.yaml: name: ${directory}/a.yaml is called a already; give one of them another name`,
    ]);
  });

  describe("that uses what hooks give", () => {
    const yaml = `system:
  hostname: "{{ name }}"
  files:
    - { path: /etc/cluster, content: "{{ hook.server_url }} {{ name }}\\n" }
    - { path: /etc/token, secretFrom: join_token, mode: "0600" }
  tasks:
    - name: join
      command: [join, "{{ hook.server_url }}"]
      environment: { URL: "{{ hook.server_url | downcase }}" }
      secretsFrom: { TOKEN: join_token }
`;
    const promised = (values: readonly string[], secrets: readonly string[]) => () => ({
      values: new Map(values.map((name) => [name, "join"])),
      secrets: new Map(secrets.map((name) => [name, "join"])),
    });
    const node = aNode({ name: "pi-1" });
    const both = promised(["server_url", "unused"], ["join_token", "unused"]);
    const given = (token: string) => ({ values: { server_url: "HTTPS://k3s" }, secrets: { join_token: token } });
    const made = async (folder: ProfileFolder, token: string): Promise<NodeSystem> => {
      const system = await (await folder.read()).systemFor(node, "debian", given(token));
      assert.ok(system !== undefined && !(system instanceof Failure), String(system));
      return system;
    };

    it("has names for it until it is known, and the same digest whatever it is", async (test) => {
      const folder = createProfileFolder(await aFolderOfProfiles(test, { "a.yaml": yaml }), key, both);
      const planned = await succeeds(folder, node);
      assert.deepEqual(planned.fromHooks, [
        { kind: "value", name: "server_url", hook: "join" },
        { kind: "secret", name: "join_token", hook: "join" },
      ]);
      const shown = renderConfig(planned.config, planned.fromHooks);
      assert.match(
        shown,
        /^# known at the write alone: the value server_url of the hook join\n# .* the secret join_token of the hook join\n/,
      );
      assert.match(shown, /content: \|\n +\(server_url from a hook\) pi-1\n/);
      assert.match(shown, /path: \/etc\/token\n +mode: "0600"\n +content: \(secret\)/);

      const one = await made(folder, "canary-1");
      const [cluster, token] = (one.config.files ?? []).map(({ content }) =>
        content.kind === "file" ? Buffer.from(content.bytes).toString() : "",
      );
      assert.deepEqual([cluster, token], ["HTTPS://k3s pi-1\n", "canary-1"]);
      const [task] = one.config.tasks ?? [];
      assert.deepEqual(
        [task?.run, task?.environment, task?.secrets],
        [{ kind: "command", words: ["join", "HTTPS://k3s"] }, { URL: "https://k3s" }, { TOKEN: "canary-1" }],
      );
      assert.doesNotMatch(renderConfig(one.config, one.fromHooks), /canary/);
      assert.doesNotMatch(JSON.stringify(one.summary), /canary/);
      const two = await made(folder, "canary-2");
      for (const { summary } of [one, two]) assert.deepEqual(summary, planned.summary);
    });

    it("is another once the profile says so", async (test) => {
      const directory = await aFolderOfProfiles(test, { "a.yaml": yaml });
      const folder = createProfileFolder(directory, key, both);
      const before = (await succeeds(folder, node)).summary.digest;
      await writeFile(join(directory, "a.yaml"), yaml.replace("/etc/cluster", "/etc/other"));
      assert.notEqual((await succeeds(folder, node)).summary.digest, before);
    });

    it("is refused where no hook of the node gives it, in the plan and at the write", async (test) => {
      const directory = await aFolderOfProfiles(test, { "a.yaml": yaml });
      const message = await failureOf(createProfileFolder(directory, key, promised(["server_url"], [])), node);
      assert.match(
        message,
        /a\.yaml line 5 column \d+: system\.files\[1\]\.secretFrom: no before-reimage hook of this node gives the secret join_token; name it in the "gives" of one/,
      );
      assert.match(message, /tasks\[0\]\.secretsFrom\.TOKEN: no before-reimage hook/);
      const without = await failureOf(createProfileFolder(directory, key, promised([], ["join_token"])), node);
      assert.match(
        without,
        /files\[0\]\.content: no before-reimage hook of this node gives the value server_url; .*, or say what holds without it/,
      );
      const set = await createProfileFolder(directory, key, both).read();
      const late = await set.systemFor(node, "debian", { values: { server_url: "x" }, secrets: {} });
      assert.match(String(late), /gives the secret join_token/);
    });

    it("may say what holds without it", async (test) => {
      const files = { "a.yaml": `system: { files: [{ path: /etc/a, content: "{{ hook.a | default: 'none' }}" }] }` };
      const { config, fromHooks } = await succeeds(
        createProfileFolder(await aFolderOfProfiles(test, files), key),
        node,
      );
      const [content] = (config.files ?? []).map((file) => file.content);
      assert.equal(content?.kind === "file" && Buffer.from(content.bytes).toString(), "none");
      assert.equal(fromHooks, undefined);
    });

    for (const [title, system, says] of [
      [
        "where not any text will do",
        'hostname: "{{ hook.name }}"',
        /system\.hostname: what a hook gives is known at the write alone, and does not go here; it goes into a file's content/,
      ],
      [
        "in a way that names nothing",
        'files: [{ path: /a, content: "{{ hook | json }}" }]',
        /has to name what a hook gives, as hook\.NAME/,
      ],
      [
        "by a name that a template makes",
        'files: [{ path: /a, secretFrom: "{{ name }}" }]',
        /a template does not go here/,
      ],
      [
        "beside another content",
        "files: [{ path: /a, secretFrom: a, content: b }]",
        /content and secretFrom exclude each other/,
      ],
    ] as const)
      it(`is refused ${title}`, async (test) => {
        const directory = await aFolderOfProfiles(test, { "a.yaml": `system: { ${system} }` });
        assert.match(await failureOf(createProfileFolder(directory, key, promised(["name"], ["a"])), node), says);
      });

    it("is refused as a task's secret that a file gives, too", async (test) => {
      const directory = await aFolderOfProfiles(test, {
        "a.yaml":
          "system: { tasks: [{ name: a, command: [b], secretFiles: { T: secret/t }, secretsFrom: { T: join_token } }] }",
        "secret/t": "x",
      });
      assert.match(
        await failureOf(createProfileFolder(directory, key, both), node),
        /secretsFrom\.T: secretFiles has T, too; give one of them/,
      );
    });
  });

  it("shows everything but what is secret", async (test) => {
    const directory = await aFolderOfProfiles(test, {
      "a.yaml": `system:
  hostname: "{{ name }}"
  users: [{ name: ada, passwordHash: "${passwordHash}", authorizedKeys: ["${publicKey}"] }]
  network: { wifi: { country: CH, ssid: rack, passphraseFile: secret/wifi } }
  files:
    - { path: /etc/motd, content: "hello\\n", mode: "0600", owner: ada }
    - { path: /etc/token, secretFile: secret/token }
    - { path: /etc/a, link: /etc/b }
    - { path: /srv/data, folder: true }
  tasks: [{ name: join, command: [echo], secretFiles: { TOKEN: secret/token } }]
  userDataFile: secret/user-data
`,
      "secret/wifi": "canary-3",
      "secret/token": "canary-4",
      "secret/user-data": "#cloud-config\n# canary-5\n",
    });
    const { config, summary } = await succeeds(createProfileFolder(directory, key));
    const shown = renderConfig(config);
    assert.doesNotMatch(shown, /canary|\$6\$/);
    assert.doesNotMatch(renderConfig({ ssh: { hostKeys: ["canary-2"] } }), /canary/);
    assert.doesNotMatch(JSON.stringify(summary), /canary/);
    assert.equal(summary.loginUser, "ada");
    assert.equal(summary.hostname, "pi-1");
    assertGolden("profiles/shown-config.yaml", shown);
  });
});
