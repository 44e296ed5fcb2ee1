import assert from "node:assert/strict";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { prepareConfiguration } from "../../../../agent/customise/configure-system.ts";
import { Failure } from "../../../../proto/failure.ts";
import { findConfigProblems } from "../../../../proto/system/config/check-config.ts";
import type { SystemConfig } from "../../../../proto/system/system-config.ts";
import { requires } from "../../../requirements.ts";
import { aRootFilesystem, type RootName, rootFilesystems } from "./a-root-filesystem.ts";

const digest = "ab".repeat(32);
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDxEzZYqm7rJWwOtGZHjlT7Qn2hLFd3kzS2yWnq7p0Xb anna@desk";
/** Made for this test by ssh-keygen; nothing is protected by it. */
const hostKey = await readFile(new URL("./host-key.txt", import.meta.url), "utf8");

async function configure(root: string, config: SystemConfig) {
  const configuration = await prepareConfiguration({ root, config, digest, otherBytes: 0 });
  await configuration.apply();
  return configuration.hostKeys;
}

/** Everything that is in a folder: kind, bits, owner, and content. */
async function snapshot(root: string): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  const ahead = (await readdir(root)).sort();
  for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
    const file = path.join(root, name);
    const below = name;
    const found = await lstat(file);
    // readdir()'s own recursion follows links.
    if (found.isDirectory()) ahead.push(...(await readdir(file)).sort().map((each) => `${below}/${each}`));
    const content = found.isFile()
      ? await readFile(file, "latin1")
      : found.isSymbolicLink()
        ? await readlink(file)
        : "";
    const kind = found.isFile() ? "file" : found.isSymbolicLink() ? "link" : "folder";
    all.set(`/${name}`, [kind, (found.mode & 0o7777).toString(8), found.uid, found.gid, content].join(" "));
  }
  return all;
}

const text = (root: string, at: string) => readFile(path.join(root, at), "utf8");

const full: SystemConfig = {
  hostname: "pi-7.rack",
  users: [
    { name: "anna", groups: ["video"], passwordHash: "$6$salt$hash", authorizedKeys: [key], fullName: "Anna" },
    { name: "ben", uid: 1200 },
  ],
  ssh: { enabled: true, passwordAuthentication: false, hostKeys: [hostKey] },
  network: { interfaces: [{ name: "eth0", addresses: ["10.0.0.7/24"], gateways: ["10.0.0.1"], dns: ["10.0.0.1"] }] },
  files: [
    { path: "/srv/app", content: { kind: "folder" }, owner: "anna" },
    { path: "/srv/app/token", content: { kind: "file", bytes: Buffer.from("s3cret") }, owner: "anna", secret: true },
    { path: "/srv/app/current", content: { kind: "link", target: "token" } },
  ],
};

/** What dropbear and OpenWrt cannot be told. */
function fullFor(name: RootName): SystemConfig {
  const { hostname = "", ...others } = full;
  const ssh = { hostKeys: [hostKey] };
  if (name === "openwrt") return { ...others, ssh, network: {} };
  return name === "buildroot-with-dropbear" ? { ...full, ssh: { ...ssh, enabled: true } } : { ...others, hostname };
}

describe("prepareConfiguration", requires("root"), () => {
  for (const name of Object.keys(rootFilesystems) as RootName[])
    it(`configures ${name}, and once more without a change`, async (test) => {
      const root = await aRootFilesystem(test, name);
      const full = fullFor(name);
      const hostKeys = await configure(root, full);
      assert.equal(hostKeys.length, 1);
      assert.match(hostKeys[0] ?? "", /^ssh-ed25519 AAAA\S+$/);
      const once = await snapshot(root);
      await configure(root, full);
      assert.deepEqual(await snapshot(root), once);

      assert.match(
        await text(root, "/etc/passwd"),
        /^anna:x?\S*:1\d{3}:1\d{3}:Anna:\/home\/anna:\/bin\/(bash|ash|sh)$/m,
      );
      if (full.hostname !== undefined) assert.match(await text(root, "/etc/hosts"), /^127\.0\.1\.1\tpi-7\.rack pi-7$/m);
      assert.match(once.get("/home/anna/.ssh") ?? "", /^folder 700 1\d{3} 1\d{3} $/);
      assert.match(once.get("/home/anna/.ssh/authorized_keys") ?? "", /^file 600 1\d{3} 1\d{3} ssh-ed25519 /);
      assert.match(once.get("/srv/app/token") ?? "", /^file 600 1\d{3} 1\d{3} s3cret$/);
      assert.match(once.get("/srv/app/current") ?? "", /^link 777 0 0 token$/);
    });

  it("gives each system another host key, removes those of the image, and says the public one", async (test) => {
    const [one, other] = [await aRootFilesystem(test, "debian"), await aRootFilesystem(test, "debian")];
    const [first, second] = [await configure(one, {}), await configure(other, {})];
    assert.notDeepEqual(first, second);
    assert.deepEqual((await readdir(path.join(one, "etc/ssh"))).sort(), [
      ...["ssh_host_ed25519_key", "ssh_host_ed25519_key.pub", "sshd_config", "sshd_config.d"],
    ]);
    assert.equal(`${first[0]}\n`, await text(one, "/etc/ssh/ssh_host_ed25519_key.pub"));
    assert.equal((await lstat(path.join(one, "etc/ssh/ssh_host_ed25519_key"))).mode & 0o777, 0o600);
  });

  it("keeps the host keys where Raspberry Pi OS's first boot does not make them anew", async (test) => {
    const root = await aRootFilesystem(test, "raspberry-pi-os-bookworm");
    await configure(root, { users: [{ name: "pi", authorizedKeys: [key] }] });
    assert.match(
      await text(root, "/etc/ssh/sshd_config.d/00-pallet.conf"),
      /^HostKey \/etc\/ssh\/pallet_host_ed25519_key$/m,
    );
    const started = await readdir(path.join(root, "etc/systemd/system/multi-user.target.wants"));
    assert.deepEqual(started.sort(), ["NetworkManager.service", "sshswitch.service"]);
    // What was locked without a password lets a key in.
    assert.match(await text(root, "/etc/shadow"), /^pi:\*:/m);
    assert.deepEqual((await snapshot(root)).has("/etc/ssh/sshd_config.d/rename_user.conf"), false);
  });

  it("gives dropbear host keys where it looks for them, in place of a link into RAM", async (test) => {
    for (const name of ["buildroot-with-dropbear", "openwrt"] as const) {
      const root = await aRootFilesystem(test, name);
      const [hostKey] = await configure(root, { users: [{ name: "root", authorizedKeys: [key] }] });
      const found = await snapshot(root);
      const keys = [...found.keys()].filter((each) => each.startsWith("/etc/dropbear/"));
      const ofRoot = name === "openwrt" ? ["/etc/dropbear/authorized_keys"] : [];
      assert.deepEqual(keys.sort(), [...ofRoot, "/etc/dropbear/dropbear_ed25519_host_key"]);
      const file = await readFile(path.join(root, "etc/dropbear/dropbear_ed25519_host_key"));
      assert.equal(
        `ssh-ed25519 ${Buffer.concat([Buffer.of(0, 0, 0, 11), Buffer.from("ssh-ed25519"), Buffer.of(0, 0, 0, 32), file.subarray(-32)]).toString("base64")}`,
        hostKey,
      );
      assert.match(found.get("/etc/dropbear/dropbear_ed25519_host_key") ?? "", /^file 600 0 0 /);
      assert.match(found.get("/root/.ssh/authorized_keys") ?? "", /^file 600 0 0 ssh-ed25519/);
      assert.deepEqual(await readdir(path.join(root, "..")), ["root"]);
    }
  });

  it("has each system make a machine id of its own", async (test) => {
    const [debian, trixie, alpine] = [
      await aRootFilesystem(test, "debian", { "/var/lib/dbus/machine-id": "0123456789abcdef0123456789abcdef\n" }),
      await aRootFilesystem(test, "raspberry-pi-os-trixie"),
      await aRootFilesystem(test, "alpine", { "/etc/machine-id": "0123456789abcdef0123456789abcdef\n" }),
    ];
    for (const root of [debian, trixie, alpine]) await configure(root, {});
    assert.equal(await text(debian, "/etc/machine-id"), "");
    assert.equal(await readlink(path.join(debian, "var/lib/dbus/machine-id")), "/etc/machine-id");
    assert.equal(await text(trixie, "/etc/machine-id"), "uninitialized\n");
    assert.equal((await snapshot(alpine)).has("/etc/machine-id"), false);
  });

  it("joins Wi-Fi, and switches radios on", async (test) => {
    const root = await aRootFilesystem(test, "raspberry-pi-os-bookworm");
    await configure(root, { network: { wifi: { country: "CH", ssid: "Büro 1", passphrase: "correct horse" } } });
    const keyfile = await text(root, "/etc/NetworkManager/system-connections/pallet-wifi.nmconnection");
    assert.match(keyfile, /^ssid=66;195;188;114;111;32;49;$/m);
    assert.match(keyfile, /^psk=correct\\shorse$/m);
    assert.equal(await text(root, "/var/lib/systemd/rfkill/platform-fe300000.mmcnr:wlan"), "0\n");
    assert.match(await text(root, "/var/lib/NetworkManager/NetworkManager.state"), /^WirelessEnabled=true$/m);
    assert.match(await text(root, "/etc/modprobe.d/pallet-wifi.conf"), /ieee80211_regdom=CH/);
  });

  const hostile: readonly (readonly [string, Parameters<typeof aRootFilesystem>[2], SystemConfig, RegExp])[] = [
    [
      "a folder that is a link to the root",
      { "/etc/ssh": { link: "/" } },
      {},
      /a link at \/etc\/ssh, which leads to "\/"/,
    ],
    ["a folder that leads out", { "/home": { link: "../../../../tmp" } }, full, /a link at \/home/],
    ["a passwd with a zero", { "/etc/passwd": "root:x:0:0::/:/bin/sh\n\0" }, full, /NUL byte/],
    ["a passwd that is not UTF-8", { "/etc/hosts": { link: "/etc/passwd.d" } }, full, /leads nowhere/],
    ["a passwd that is too long", { "/etc/passwd": "x".repeat(1024 * 1024 + 1) }, full, /longer than 1048576 bytes/],
    ["a file where a folder is wanted", { "/home": "no folder" }, full, /\/home is no folder/],
    ["a link that loops", { "/etc/hosts": { link: "hosts" } }, full, /leads nowhere/],
    ["a group that is missing", {}, { users: [{ name: "a", groups: ["docker"] }] }, /no group docker/],
    ["a uid that is taken", {}, { users: [{ name: "a", uid: 1 }] }, /1 is that of daemon/],
    [
      "an unknown owner",
      {},
      { files: [{ path: "/srv/x", content: { kind: "folder" }, owner: "eve" }] },
      /has a user eve/,
    ],
    ["a zone that is missing", {}, { timezone: "Mars/Olympus" }, /no \/usr\/share\/zoneinfo\/Mars\/Olympus/],
    [
      "a folder where a file is wanted",
      { "/etc/motd/x": "" },
      { files: [{ path: "/etc/motd", content: { kind: "file", bytes: Buffer.of() } }] },
      /a folder at \/etc\/motd/,
    ],
    [
      "a file of another field",
      {},
      { hostname: "a", files: [{ path: "/etc/hostname", content: { kind: "file", bytes: Buffer.of() } }] },
      /written by another field/,
    ],
  ];
  for (const [what, other, config, message] of hostile)
    it(`refuses ${what}, and changes nothing`, async (test) => {
      const root = await aRootFilesystem(test, "debian", other);
      const [before, outside] = [await snapshot(root), await readdir(path.dirname(root))];
      await assert.rejects(prepareConfiguration({ root, config, digest, otherBytes: 0 }), (error: unknown) => {
        assert.ok(error instanceof Failure, String(error));
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\$6\$salt|s3cret|PRIVATE KEY/);
        return true;
      });
      assert.deepEqual(await snapshot(root), before);
      assert.deepEqual(await readdir(path.dirname(root)), outside);
    });

  it("says how much room is missing, before anything is written", async (test) => {
    const root = await aRootFilesystem(test, "debian");
    const before = await snapshot(root);
    await assert.rejects(
      prepareConfiguration({ root, config: full, digest, otherBytes: 2 ** 50 }),
      (error: unknown) =>
        error instanceof Failure &&
        error.reason === "too-small" &&
        /\d+ bytes are needed, \d+ are free/.test(error.message),
    );
    assert.deepEqual(await snapshot(root), before);
  });

  it("keeps lines that it does not know, comments, order, bits and owners", async (test) => {
    const odd = "root:x:0:0::/root:/bin/sh\n# a comment\nbroken line\n\n+@netgroup::::::\nlast:x:5:5::/:/bin/false";
    const root = await aRootFilesystem(test, "debian", { "/etc/passwd": { text: odd, mode: 0o604 } });
    await configure(root, { users: [{ name: "anna" }] });
    const lines = (await text(root, "/etc/passwd")).split("\n");
    assert.equal(lines[4], "anna:x:1000:1000::/home/anna:/bin/bash");
    assert.deepEqual(lines.toSpliced(4, 1), [...odd.split("\n"), ""]);
    assert.equal((await lstat(path.join(root, "etc/passwd"))).mode & 0o777, 0o604);
  });

  describe("with any config", () => {
    const kept: { after: (() => unknown)[] } = { after: [] };
    after(async () => {
      for (const each of kept.after) await each();
    });
    const name = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,8}$/);
    const config: fc.Arbitrary<SystemConfig> = fc.record(
      {
        hostname: fc.stringMatching(/^[a-z][a-z0-9]{0,8}(\.[a-z]{1,4})?$/),
        timezone: fc.constantFrom("Europe/Zurich", "Etc/UTC"),
        locale: fc.constantFrom("C.UTF-8", "C"),
        keyboard: fc.record({ layout: fc.constantFrom("ch", "de") }),
        users: fc.uniqueArray(
          fc.record(
            {
              name: fc.oneof(name, fc.constantFrom("root", "pi", "nobody")),
              fullName: fc.stringMatching(/^[A-Za-zäöü ,]{0,12}$/),
              groups: fc.subarray(["video", "sudo"]),
              passwordHash: fc.constantFrom("$y$j9T$a$b", "*"),
              authorizedKeys: fc.subarray([key]),
            },
            { requiredKeys: ["name"] },
          ),
          { maxLength: 3, selector: (user) => user.name },
        ),
        ssh: fc.record({ enabled: fc.boolean(), passwordAuthentication: fc.boolean() }, { requiredKeys: [] }),
        network: fc.record({
          interfaces: fc.uniqueArray(
            fc.record(
              {
                name: fc.constantFrom("eth0", "eth1", "usb0"),
                addresses: fc.subarray(["10.0.0.7/24", "2001:db8::7/64", "10.1.0.7/16"]),
                dns: fc.subarray(["10.0.0.1", "2001:db8::1"]),
                searchDomains: fc.subarray(["rack", "example.org"]),
              },
              { requiredKeys: ["name"] },
            ),
            { maxLength: 2, selector: (each) => each.name },
          ),
        }),
        units: fc.subarray([
          { name: "apt-daily.timer", state: "masked" },
          { name: "getty@tty1.service", state: "enabled" },
          { name: "networking.service", state: "disabled" },
          { name: "chronyd.service", state: "disabled" },
        ] as const),
      },
      { requiredKeys: [] },
    );

    it("is the same twice as once, loses no line, and writes nothing elsewhere", async () => {
      let applied = 0;
      const names = Object.keys(rootFilesystems) as RootName[];
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...names), config, async (name, config) => {
          assert.deepEqual(findConfigProblems(config), []);
          const root = await aRootFilesystem({ after: (fn) => kept.after.push(fn as () => unknown) }, name);
          const before = await snapshot(root);
          const given = { ...config, ssh: { ...config.ssh, hostKeys: [hostKey] } };
          try {
            await configure(root, given);
          } catch (error) {
            // What this system cannot take; then nothing is changed.
            assert.ok(error instanceof Failure && error.reason === "unsupported", String(error));
            assert.deepEqual(await snapshot(root), before);
            return;
          }
          applied++;
          const once = await snapshot(root);
          await configure(root, given);
          assert.deepEqual(await snapshot(root), once);
          for (const [file, fields] of [
            ["passwd", 7],
            ["shadow", 9],
            ["group", 4],
          ] as const) {
            if (!before.has(`/etc/${file}`)) continue;
            const linesOf = (all: typeof once) =>
              (all.get(`/etc/${file}`) ?? "")
                .replace(/^(\S+ ){4}/, "")
                .trimEnd()
                .split("\n");
            const [old, now] = [linesOf(before), linesOf(once)];
            for (const line of now) assert.equal(line.split(":").length, fields, line);
            const namesOf = (lines: readonly string[]) => lines.map((line) => line.split(":")[0]);
            assert.deepEqual(
              namesOf(now).filter((each) => namesOf(old).includes(each)),
              namesOf(old),
            );
            assert.equal(new Set(namesOf(now)).size, namesOf(now).length, "a name is there twice");
          }
          assert.deepEqual(await readdir(path.dirname(root)), ["root"]);
        }),
        { numRuns: 100, seed: 14 },
      );
      assert.ok(applied > 15, `only ${applied} were applied`);
    });
  });
});
