import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import * as wire from "../../../../../proto/gen/pallet/v1/system.ts";
import { decodeSystemConfig, encodeSystemConfig } from "../../../../../proto/system/config/config-codec.ts";
import { judgeConfig } from "../../../../../proto/system/config/judge-config.ts";
import { parseLocaleArchive } from "../../../../../proto/system/config/parse-locale-archive.ts";
import { planEdits } from "../../../../../proto/system/config/plan-edits.ts";
import { renderCloudConfig } from "../../../../../proto/system/config/plan-first-boot.ts";
import { withHostname } from "../../../../../proto/system/config/plan-identity.ts";
import type { SystemConfig } from "../../../../../proto/system/system-config.ts";
import { abilitiesOf } from "./some-abilities.ts";

const full: SystemConfig = {
  hostname: "pi-7",
  timezone: "Etc/UTC",
  locale: "C.UTF-8",
  keyboard: { layout: "ch", variant: "fr" },
  users: [{ name: "anna", uid: 0, groups: ["root"], passwordHash: "$6$hunter2", authorizedKeys: [], sudo: "password" }],
  ssh: { enabled: false, ownHostKeys: true },
  network: {
    interfaces: [{ name: "eth0" }],
    wifi: { country: "CH", ssid: "x", passphrase: "hunter2hunter2", hidden: true },
  },
  files: [
    { path: "/srv/a", content: { kind: "folder" }, mode: 0 },
    {
      path: "/srv/a/b",
      content: { kind: "file", bytes: Uint8Array.from(Buffer.from("hunter2")) },
      owner: "anna",
      secret: true,
    },
    { path: "/srv/a/c", content: { kind: "link", target: "b" } },
  ],
  units: [{ name: "a.service", state: "masked" }],
  tasks: [
    {
      name: "t",
      run: { kind: "script", text: "#!/bin/sh\n" },
      timeoutMs: 60_000,
      user: "anna",
      environment: { A: "b" },
      secrets: { token: "hunter2" },
    },
  ],
  userData: "#cloud-config\npassword: hunter2\n",
};

describe("a config", () => {
  it("travels whole, also when it says nothing", () => {
    for (const config of [full, {}]) {
      const travelled = wire.SystemConfig.decode(wire.SystemConfig.encode(encodeSystemConfig(config)).finish());
      assert.deepEqual(decodeSystemConfig(travelled), config);
    }
  });

  it("is refused when a word of it is missing or unknown, or a name is there twice", () => {
    const from = (parts: object) => () => decodeSystemConfig(wire.SystemConfig.fromPartial(parts));
    assert.throws(from({ files: [{ path: "/x/y" }] }), /files\[0\]\.content is missing/);
    assert.throws(from({ units: [{ name: "a.service", state: 99 }] }), /units\[0\]\.state is none that is known/);
    assert.throws(from({ users: [{ name: "a", sudo: 99 }] }), /users\[0\]\.sudo/);
    const twice = { name: "A", text: "" };
    const task = { name: "a", run: { $case: "script", value: "#!/x" }, timeout: { seconds: 1n, nanos: 0 } };
    assert.throws(from({ tasks: [{ ...task, environment: [twice, twice] }] }), /a name is there twice/);
    assert.throws(from({ tasks: [{ ...task, secrets: [{ name: "__proto__", text: "" }] }] }), /or is not one/);
  });

  it("is planned in words that hold no secret, and is judged in such", () => {
    const able = abilitiesOf({
      cloudInit: true,
      ssh: { server: "openssh", dropIns: true },
      network: { manager: "NetworkManager", wifi: "NetworkManager" },
    });
    const words = planEdits(full, able, { digest: "0".repeat(64) }).map(({ does, path }) => `${path} ${does}`);
    assert.ok(words.length > 20);
    assert.doesNotMatch(words.join("\n"), /hunter2/);
    assert.doesNotMatch(judgeConfig(full, abilitiesOf()).join("\n"), /hunter2/);
  });

  it("is refused field by field by a system that can be told nothing", () => {
    const refusals = judgeConfig(
      { ...full, users: [{ name: "anna", groups: ["video"], sudo: "no-password" }] },
      abilitiesOf(),
    );
    const fields = refusals.map((each) => /^[a-zA-Z]+/.exec(each)?.[0]);
    assert.deepEqual(
      [...new Set(fields)],
      ["timezone", "locale", "keyboard", "users", "ssh", "network", "userData", "units"].filter((each) =>
        fields.includes(each),
      ),
    );
    for (const field of ["timezone", "locale", "keyboard", "users", "network", "userData", "units"])
      assert.ok(fields.includes(field), field);
  });

  it("has the last word of cloud-init's files", () => {
    const edits = planEdits({ hostname: "a" }, abilitiesOf({ cloudInit: true }), { digest: "0".repeat(64) });
    const [name = ""] = edits.flatMap(({ path }) => /^\/etc\/cloud\/cloud\.cfg\.d\/(.+)$/.exec(path)?.slice(1) ?? []);
    assert.deepEqual(["99_raspberry-pi.cfg", "99_default.cfg", name].sort().at(-1), name);
  });

  it("has cloud-init leave alone what it sets, and nothing else", () => {
    const told = (config: SystemConfig) => JSON.parse(renderCloudConfig(config, abilitiesOf()).replace(/^#.*\n/, ""));
    assert.deepEqual(told({}), {});
    assert.deepEqual(told({ hostname: "a", users: [] }), {
      preserve_hostname: true,
      manage_etc_hosts: false,
      users: [],
    });
    assert.deepEqual(told({ network: { interfaces: [{ name: "eth0" }] } }), { network: { config: "disabled" } });
  });
});

describe("withHostname", () => {
  for (const [text, expected] of [
    ["", "127.0.0.1\tlocalhost\n127.0.1.1\ta.b a\n"],
    ["127.0.0.1 localhost\n::1 localhost", "127.0.0.1 localhost\n127.0.1.1\ta.b a\n::1 localhost\n"],
    ["127.0.1.1 old\n127.0.1.1 older\n10.0.0.1 x\n", "127.0.1.1\ta.b a\n10.0.0.1 x\n"],
  ] as const)
    it(`names the machine in ${JSON.stringify(text)}`, () => {
      assert.equal(withHostname(text, "a.b"), expected);
      assert.equal(withHostname(expected, "a.b"), expected);
    });
});

describe("parseLocaleArchive", () => {
  it("reads names of the start of an archive, and never throws", () => {
    const archive = Buffer.alloc(128);
    archive.writeUInt32LE(0xde020109, 0);
    archive.writeUInt32LE(56, 8);
    archive.writeUInt32LE(2, 16);
    archive.writeUInt32LE(100, 56 + 12 + 4);
    archive.write("de_CH.utf8\0", 100);
    assert.deepEqual(parseLocaleArchive(archive, 10), ["de_CH.utf8"]);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(127), fc.nat(255)), { maxLength: 20 }), fc.nat(128), (changes, length) => {
        const changed = Buffer.from(archive);
        for (const [at, value] of changes) changed[at] = value;
        parseLocaleArchive(changed.subarray(0, length), 10);
      }),
    );
  });
});
