import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { limits } from "../../../../../proto/limits.ts";
import { findConfigProblems } from "../../../../../proto/system/config/check-config.ts";
import type { FileConfig, SystemConfig } from "../../../../../proto/system/system-config.ts";

const file = (path: string, other: Partial<FileConfig> = {}): FileConfig => ({
  path,
  content: { kind: "file", bytes: Buffer.from("x") },
  ...other,
});
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDxEzZYqm7rJWwOtGZHjlT7Qn2hLFd3kzS2yWnq7p0Xb";

describe("findConfigProblems", () => {
  const good: readonly SystemConfig[] = [
    {},
    { hostname: "pi-7.rack.example.org", timezone: "America/Argentina/Buenos_Aires", locale: "de_CH.UTF-8" },
    { timezone: "Etc/GMT+5", locale: "C", keyboard: { layout: "ch", model: "pc105", variant: "fr" } },
    { users: [{ name: "_svc-1", uid: 0, shell: "/bin/sh", authorizedKeys: [key, `from="10.0.0.0/8" ${key} a b`] }] },
    {
      users: [
        { name: "a", passwordHash: "$y$j9T$abc$def" },
        { name: "b", passwordHash: "$6$rounds=5000$a$b/." },
      ],
    },
    {
      network: {
        interfaces: [{ name: "en*" }, { name: "eth0", addresses: ["2001:db8::7/64"], gateways: ["fe80::1"] }],
      },
    },
    { network: { wifi: { country: "CH", ssid: "ü", passphrase: "12345678" } } },
    {
      files: [
        { path: "/data", content: { kind: "folder" } },
        file("/data/x"),
        file("/etc/x", { owner: "a", group: "100" }),
      ],
    },
    { units: [{ name: "getty@tty1.service", state: "enabled" }] },
    { tasks: [{ name: "a", run: { kind: "command", words: ["true"] }, timeoutMs: 1000 }], userData: "#cloud-config\n" },
  ];
  for (const config of good)
    it(`takes ${JSON.stringify(config).slice(0, 80)}`, () => assert.deepEqual(findConfigProblems(config), []));

  const bad: readonly (readonly [SystemConfig, string])[] = [
    ...["", "-a", "a_b", "A", "a..b", "a".repeat(65), "10.0.0.1", "a\nb"].map(
      (hostname) => [{ hostname }, "hostname"] as const,
    ),
    ...["../etc/passwd", "/etc", "Europe/../x", "", "a b"].map((timezone) => [{ timezone }, "timezone"] as const),
    ...["de", "x".repeat(70), "de_CH.UTF-8\n", '"']
      .filter((each) => each !== "de")
      .map((locale) => [{ locale }, "locale"] as const),
    [{ keyboard: { layout: 'us"; rm' } }, "keyboard.layout"],
    ...["", "A", "a b", "a:b", "a".repeat(33)].map((name) => [{ users: [{ name }] }, "users[0].name"] as const),
    [{ users: [{ name: "a" }, { name: "a" }] }, "users[1].name"],
    [
      {
        users: [
          { name: "a", uid: 5 },
          { name: "b", uid: 5 },
        ],
      },
      "users[1].uid",
    ],
    ...[-1, 1.5, 65_534, 2 ** 32].map((uid) => [{ users: [{ name: "a", uid }] }, "users[0].uid"] as const),
    [{ users: [{ name: "a", fullName: "a:b" }] }, "users[0].fullName"],
    [{ users: [{ name: "a", shell: "bash" }] }, "users[0].shell"],
    [{ users: [{ name: "a", passwordHash: "secret" }] }, "users[0].passwordHash"],
    [{ users: [{ name: "a", passwordHash: "$6$a:b" }] }, "users[0].passwordHash"],
    [{ users: [{ name: "a", authorizedKeys: [`${key}\n${key}`] }] }, "users[0].authorizedKeys[0]"],
    [{ users: [{ name: "a", authorizedKeys: ["hello"] }] }, "users[0].authorizedKeys[0]"],
    [{ ssh: { hostKeys: ["x"] } }, "ssh.hostKeys[0]"],
    [{ ssh: { ownHostKeys: false, hostKeys: [] } }, "ssh.hostKeys"],
    ...["", "a b", "e/0", "a".repeat(16), "e\n"].map(
      (name) => [{ network: { interfaces: [{ name }] } }, "network.interfaces[0].name"] as const,
    ),
    ...["10.0.0.1", "10.0.0.1/33", "x/24", "10.0.0.1/024"].map(
      (address) =>
        [
          { network: { interfaces: [{ name: "e", addresses: [address] }] } },
          "network.interfaces[0].addresses[0]",
        ] as const,
    ),
    [{ network: { interfaces: [{ name: "e", gateways: ["10.0.0.1"] }] } }, "network.interfaces[0].gateways"],
    [{ network: { interfaces: [{ name: "e", addresses: ["10.0.0.0/24"] }] } }, "network.interfaces[0].addresses[0]"],
    [{ network: { interfaces: [{ name: "e", addresses: ["10.0.0.255/24"] }] } }, "network.interfaces[0].addresses[0]"],
    [{ network: { interfaces: [{ name: "e", addresses: ["127.0.0.1/8"] }] } }, "network.interfaces[0].addresses[0]"],
    [{ network: { interfaces: [{ name: "e", addresses: ["224.0.0.5/24"] }] } }, "network.interfaces[0].addresses[0]"],
    [{ network: { interfaces: [{ name: "e", addresses: ["0.0.0.0/24"] }] } }, "network.interfaces[0].addresses[0]"],
    [{ network: { interfaces: [{ name: "e", addresses: ["::1/64"] }] } }, "network.interfaces[0].addresses[0]"],
    [{ network: { interfaces: [{ name: "e", addresses: ["ff02::1/64"] }] } }, "network.interfaces[0].addresses[0]"],
    [
      { network: { interfaces: [{ name: "e", addresses: ["10.0.0.7/24"], gateways: ["10.0.1.1"] }] } },
      "network.interfaces[0].gateways",
    ],
    [
      { network: { interfaces: [{ name: "e", addresses: ["10.0.0.7/24"], gateways: ["2001:db8::1"] }] } },
      "network.interfaces[0].gateways",
    ],
    [{ network: { interfaces: [{ name: "e", dns: ["fe80::1%eth0"] }] } }, "network.interfaces[0].dns[0]"],
    [{ network: { wifi: { country: "ch", ssid: "a" } } }, "network.wifi.country"],
    [{ network: { wifi: { country: "CH", ssid: "ü".repeat(17) } } }, "network.wifi.ssid"],
    [{ network: { wifi: { country: "CH", ssid: "a", passphrase: "short" } } }, "network.wifi.passphrase"],
    ...[
      "etc/x",
      "/etc/../x",
      "/etc//x",
      "/etc/x/",
      "/",
      "/x",
      "/dev/sda",
      "/etc/pallet/x",
      "/etc/\0x",
      `/etc/${"x".repeat(300)}`,
    ].map((path) => [{ files: [file(path)] }, "files[0].path"] as const),
    [{ files: [file("/etc/x"), file("/etc/x")] }, "files[1].path"],
    [{ files: [file("/etc/x"), file("/etc/x/y")] }, "files[1].path"],
    [{ files: [file("/srv/x/y"), { path: "/srv/x", content: { kind: "folder" } }] }, "files[1].path"],
    [{ files: [file("/etc/x", { mode: 0o10000 })] }, "files[0].mode"],
    [{ files: [file("/etc/x", { owner: "a b" })] }, "files[0].owner"],
    [{ files: [{ path: "/etc/x", content: { kind: "link", target: "" } }] }, "files[0].content"],
    [
      { files: [file("/etc/x", { content: { kind: "file", bytes: Buffer.alloc(limits.config.fileBytes.most + 1) } })] },
      "files[0].content",
    ],
    [{ units: [{ name: "../x.service", state: "masked" }] }, "units[0].name"],
    [{ units: [{ name: "ssh", state: "masked" }] }, "units[0].name"],
    [{ tasks: [{ name: "A", run: { kind: "command", words: ["x"] }, timeoutMs: 1 }] }, "tasks[0].name"],
    [{ userData: "hello" }, "userData"],
    [
      {
        files: Array.from({ length: 4 }, (_, index) =>
          file(`/srv/${index}`, { content: { kind: "file", bytes: Buffer.alloc(1024 * 1024) } }),
        ),
      },
      "files",
    ],
    [{ users: Array.from({ length: 65 }, (_, index) => ({ name: `u${index}` })) }, "users"],
    [{ users: Array.from({ length: 10_000 }, (_, index) => ({ name: `u${index}` })) }, "users"],
    [
      {
        files: Array.from({ length: 64 }, (_, index) =>
          file(`/srv/${index}`, { content: { kind: "file", bytes: Buffer.alloc(1024 * 1024) } }),
        ),
      },
      "files",
    ],
  ];
  for (const [config, field] of bad)
    it(`names ${field} of ${JSON.stringify(config).slice(0, 80)}`, () => {
      const fields = findConfigProblems(config).map((problem) => problem.field);
      assert.ok(fields.includes(field), `${fields}`);
    });

  it("says every problem at once, and no secret", () => {
    const problems = findConfigProblems({
      hostname: "-",
      users: [{ name: "A", passwordHash: "hunter2" }],
      network: { wifi: { country: "CH", ssid: "a", passphrase: "hunter2" } },
      tasks: [{ name: "a", run: { kind: "command", words: ["x"] }, timeoutMs: 1, secrets: { "a/b": "hunter2" } }],
    });
    assert.equal(problems.length, 5);
    assert.doesNotMatch(JSON.stringify(problems), /hunter2/);
  });
});
