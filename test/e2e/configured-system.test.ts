// A real Debian, configured on a card that has no table yet, and then judged by its own programs: accounts, sudo, units,
// network, and a login by ssh with the operator's key and the host key that the agent told.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { execa } from "execa";
import { customise } from "../../agent/customise/customise.ts";
import { findConfigProblems } from "../../proto/system/config/check-config.ts";
import type { SystemConfig } from "../../proto/system/system-config.ts";
import { requires } from "../requirements.ts";
import { stamp } from "../unit/agent/customise/a-disk-with-system.ts";
import { aLoopDevice } from "../unit/agent/disk/a-loop-device.ts";
import { debianArchive } from "./configured/a-debian.ts";

const mebibyte = 1024 * 1024;
const place = { offsetBytes: 4 * mebibyte, lengthBytes: 700 * mebibyte, filesystemType: "ext4" } as const;
const digest = "ab".repeat(32);

describe("a configured Debian", requires("root", "loop devices"), async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-configured-"));
  const root = path.join(folder, "root");
  let hostKeys: readonly string[] = [];
  /** What pwck(8) says of it before anything is changed. */
  let accountsBefore: string;
  let measured: string;

  /** Runs a program of the system in it; its own scripts may, in this test. */
  const inside = async (program: string, ...args: readonly string[]) => {
    const { stdout, stderr } = await execa("chroot", [root, program, ...args], { reject: false });
    return `${stdout}${stderr}`;
  };

  const cleanups: (() => unknown)[] = [() => rm(folder, { recursive: true })];
  after(async () => {
    for (const cleanUp of cleanups.toReversed()) await cleanUp();
  });

  before(async () => {
    const test = { after: (cleanUp: () => unknown) => cleanups.push(cleanUp) } as unknown as TestContext;
    const disk = await aLoopDevice(test, 720);
    await execa("mkdir", ["-p", root, path.join(folder, "content")]);
    await execa("tar", ["--numeric-owner", "-C", path.join(folder, "content"), "-xf", await debianArchive()]);
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path.join(folder, "operator")]);
    accountsBefore = (await execa("chroot", [path.join(folder, "content"), "pwck", "-r"], { reject: false })).stdout;
    const options = ["-E", `offset=${place.offsetBytes}`, "-d", path.join(folder, "content")];
    await execa("mkfs.ext4", ["-q", ...options, disk.path, `${place.lengthBytes / mebibyte}M`]);
    const operatorKey = (await readFile(path.join(folder, "operator.pub"), "utf8")).trim();
    const config: SystemConfig = {
      hostname: "pi-7.rack",
      timezone: "Europe/Zurich",
      locale: "C.UTF-8",
      users: [
        {
          name: "anna",
          fullName: "Anna Ünlü",
          groups: ["sudo", "adm"],
          authorizedKeys: [operatorKey],
          sudo: "no-password",
        },
        {
          name: "ben",
          uid: 1500,
          passwordHash:
            "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/",
        },
      ],
      ssh: { enabled: true, passwordAuthentication: false },
      network: {
        interfaces: [{ name: "eth0", addresses: ["10.0.0.7/24"], gateways: ["10.0.0.1"], dns: ["10.0.0.1"] }],
      },
      files: [
        {
          path: "/etc/systemd/system/hello.service",
          content: {
            kind: "file",
            bytes: Buffer.from("[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"),
          },
        },
        { path: "/srv/app", content: { kind: "folder" }, owner: "anna", mode: 0o750 },
        { path: "/srv/app/token", content: { kind: "file", bytes: Buffer.from("secret") }, owner: "ben", secret: true },
      ],
      units: [
        { name: "hello.service", state: "enabled" },
        { name: "fstrim.timer", state: "enabled" },
        { name: "systemd-pstore.service", state: "masked" },
        { name: "dpkg-db-backup.timer", state: "disabled" },
      ],
    };
    assert.deepEqual(findConfigProblems(config), []);
    const request = { device: disk.path, root: place, stamp: { ...stamp, config: digest }, resident: false };
    const begun = performance.now();
    await customise({ device: disk.path, root: place, stamp, resident: false });
    const stamped = performance.now();
    ({ hostKeys = [] } = await customise({ ...request, system: config }));
    const configured = performance.now();
    measured = `${Math.round(stamped - begun)} ms with the stamp alone, ${Math.round(configured - stamped)} ms with a config`;
    await execa("mount", ["-o", `loop,offset=${place.offsetBytes},sizelimit=${place.lengthBytes}`, disk.path, root]);
    test.after(async () => {
      await execa("umount", [root]);
    });
  });

  it("has whole account files by its own programs", async (test) => {
    test.diagnostic(measured);
    const accounts = await inside("pwck", "-r");
    assert.deepEqual(
      accounts.split("\n").filter((line) => !accountsBefore.includes(line)),
      [],
    );
    assert.equal(await inside("grpck", "-r"), "");
    assert.equal(await inside("getent", "passwd", "anna"), "anna:x:1000:1000:Anna Ünlü:/home/anna:/bin/bash");
    assert.equal(await inside("id", "-Gn", "anna"), "anna adm sudo");
    assert.match(await inside("id", "ben"), /^uid=1500\(ben\) gid=1500\(ben\)/);
    assert.equal(await inside("cat", "/etc/subuid"), "anna:100000:65536\nben:165536:65536");
  });

  it("lets its sudo be used without a password", async () => {
    assert.match(await inside("visudo", "-c"), /90-pallet-anna: parsed OK/);
    assert.match(await inside("sudo", "-l", "-U", "anna"), /\(ALL : ALL\) NOPASSWD: ALL/);
  });

  it("starts what its systemd is told to", async () => {
    const units = ["ssh.service", "hello.service", "fstrim.timer", "systemd-pstore.service", "dpkg-db-backup.timer"];
    const { stdout } = await execa("systemctl", [`--root=${root}`, "is-enabled", ...units], { reject: false });
    assert.deepEqual(stdout.split("\n"), ["enabled", "enabled", "enabled", "masked", "disabled"]);
    // Applied by a first boot, the presets leave it so.
    await execa("systemctl", [
      `--root=${root}`,
      "preset",
      ...units.filter((each) => each !== "systemd-pstore.service"),
    ]);
    const again = await execa("systemctl", [`--root=${root}`, "is-enabled", ...units], { reject: false });
    assert.equal(again.stdout, stdout);
    assert.equal(await readFile(path.join(root, "etc/machine-id"), "utf8"), "");
  });

  it("has its name, zone, network, files and stamp", async () => {
    assert.equal(await inside("date", "+%Z", "--date=2026-01-01T12:00:00Z"), "CET");
    assert.match(
      await inside("ifquery", "eth0"),
      /^address: 10\.0\.0\.7\nnetmask: 255\.255\.255\.0\ngateway: 10\.0\.0\.1$/m,
    );
    assert.equal(await inside("cat", "/etc/hostname"), "pi-7.rack");
    assert.match(await inside("getent", "hosts", "pi-7.rack"), /^127\.0\.1\.1\s+pi-7\.rack pi-7$/);
    assert.equal(await inside("stat", "-c", "%a %U %G", "/srv/app", "/srv/app/token"), "750 anna anna\n600 ben ben");
    assert.equal(JSON.parse(await inside("cat", "/etc/pallet/installed.json")).config, digest);
    assert.equal(await inside("stat", "-c", "%a %U", "/home/anna", "/home/anna/.bashrc"), "700 anna\n644 anna");
  });

  it("is logged into by the operator's key, known by the host key that was told, and by no password", async () => {
    const [hostKey = ""] = hostKeys;
    assert.equal(hostKeys.length, 1);
    const { stdout: ofFile } = await execa("ssh-keygen", ["-y", "-f", path.join(root, "etc/ssh/ssh_host_ed25519_key")]);
    assert.ok(ofFile.startsWith(hostKey), `${ofFile} is not ${hostKey}`);
    await writeFile(path.join(folder, "known_hosts"), `127.0.0.1 ${hostKey}\n`);
    const options = [
      ...["-F", "none", "-i", path.join(folder, "operator"), "-o", `UserKnownHostsFile=${folder}/known_hosts`],
      ...["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "ConnectionAttempts=30"],
    ];
    const script = [
      "ip link set lo up",
      `mount --bind /dev ${root}/dev && mount -t proc proc ${root}/proc && mount -t tmpfs tmpfs ${root}/run`,
      `mkdir ${root}/run/sshd`,
      `chroot ${root} /usr/sbin/sshd -t`,
      `chroot ${root} /usr/sbin/sshd -T | grep -iE "^(hostkey|passwordauthentication|kbdinteractiveauthentication) "`,
      `chroot ${root} /usr/sbin/sshd`,
      'ssh "$@" anna@127.0.0.1 "id -un; sudo -n id -un"',
      'ssh "$@" -o PreferredAuthentications=password,keyboard-interactive -v ben@127.0.0.1 true 2>&1 | grep "can continue" || true',
    ].join("\n");
    const { stdout } = await execa("unshare", [
      ...["--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", script, "sh", ...options],
    ]);
    assert.deepEqual(stdout.split("\n"), [
      ...["passwordauthentication no", "kbdinteractiveauthentication no", "hostkey /etc/ssh/ssh_host_ed25519_key"],
      ...["anna", "root"],
      "debug1: Authentications that can continue: publickey",
    ]);
  });
});
