// The real dropbear, in a root filesystem of busybox as Buildroot lays it out: it takes the host keys that we give it, lets
// in the operator by a key and nobody by another, and is known by the host key that was told.
import assert from "node:assert/strict";
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { prepareConfiguration } from "../../agent/customise/configure-system.ts";
import type { SystemConfig } from "../../proto/system/system-config.ts";
import { requires } from "../requirements.ts";

describe("a configured dropbear", requires("root", "dropbear"), () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "pallet-dropbear-"));
    for (const name of ["operator", "stranger"])
      await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path.join(folder, name)]);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function aRoot(name: string): Promise<string> {
    const root = path.join(folder, name);
    for (const each of ["bin", "dev", "etc/init.d", "proc", "run", "sbin", "usr/sbin", "var", "root"])
      await mkdir(path.join(root, each), { recursive: true });
    await copyFile("/bin/busybox", path.join(root, "bin/busybox"));
    for (const link of ["bin/sh", "bin/id", "sbin/init"]) await symlink("/bin/busybox", path.join(root, link));
    await copyFile("/usr/sbin/dropbear", path.join(root, "usr/sbin/dropbear"));
    const { stdout } = await execa("ldd", ["/usr/sbin/dropbear"]);
    for (const [library] of stdout.matchAll(/\/\S+\.so\S*/g))
      await cp(library, path.join(root, library), { dereference: true, recursive: true });
    await writeFile(path.join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    await writeFile(path.join(root, "etc/shadow"), "root:*:::::::\n");
    await writeFile(path.join(root, "etc/group"), "root:x:0:\n");
    await writeFile(path.join(root, "etc/inittab"), "::sysinit:/etc/init.d/rcS\n");
    await writeFile(path.join(root, "etc/init.d/S50dropbear"), "#!/bin/sh\n", { mode: 0o755 });
    await symlink("../run", path.join(root, "var/run"));
    await symlink("/var/run/dropbear", path.join(root, "etc/dropbear"));
    return root;
  }

  async function configure(root: string, config: SystemConfig): Promise<readonly string[]> {
    const request = { root, config, digest: "ab".repeat(32), otherBytes: 0 };
    const { hostKeys, apply } = await prepareConfiguration(request);
    await apply();
    return hostKeys;
  }

  /** What anna, logged in by a key, says of herself; or what ssh says. The server makes keys on demand, as Buildroot's does. */
  async function logIn(root: string, hostKey: string, as = "operator"): Promise<string> {
    await writeFile(path.join(folder, "known_hosts"), `127.0.0.1 ${hostKey}\n`);
    const options = [
      ...["-F", "none", "-i", path.join(folder, as), "-o", `UserKnownHostsFile=${folder}/known_hosts`],
      ...["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "ConnectionAttempts=30"],
      ...["-o", `HostKeyAlgorithms=${hostKey.startsWith("ssh-rsa") ? "rsa-sha2-256" : hostKey.split(" ")[0]}`],
    ];
    const script = [
      "ip link set lo up",
      `mount --bind /dev ${root}/dev && mount -t proc proc ${root}/proc`,
      `chroot ${root} /usr/sbin/dropbear -F -E -R & `,
      'ssh "$@" anna@127.0.0.1 "id -un"',
    ].join("\n");
    const { all } = await execa(
      "unshare",
      ["--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", script, "sh", ...options],
      { reject: false, all: true },
    );
    return all
      .split("\n")
      .filter((line) => !/^\[\d+\] /.test(line))
      .join("\n");
  }

  const userKey = async () => (await readFile(path.join(folder, "operator.pub"), "utf8")).trim();

  it("has a host key of its own that the agent made, and lets the operator in by a key", async () => {
    const root = await aRoot("made");
    const [hostKey = "", ...more] = await configure(root, {
      users: [{ name: "anna", authorizedKeys: [await userKey()] }],
    });
    assert.deepEqual(more, []);
    assert.match(hostKey, /^ssh-ed25519 /);
    assert.equal(await logIn(root, hostKey), "anna");
    assert.match(await logIn(root, hostKey, "stranger"), /Permission denied/);
    const [other = ""] = await configure(await aRoot("other"), {});
    assert.match(await logIn(root, other), /HOST IDENTIFICATION HAS CHANGED|Host key verification failed/);
  });

  it("has the host keys that are given, of every algorithm, made by ssh-keygen", async () => {
    const hostKeys: string[] = [];
    for (const args of [
      ["-t", "ed25519"],
      ["-t", "rsa", "-m", "PEM"],
      ["-t", "ecdsa"],
    ]) {
      const file = path.join(folder, `host-${args[1]}`);
      await execa("ssh-keygen", ["-q", "-N", "", "-f", file, ...args]);
      hostKeys.push(await readFile(file, "utf8"));
    }
    const root = await aRoot("given");
    const config: SystemConfig = {
      users: [{ name: "anna", authorizedKeys: [await userKey()] }],
      ssh: { hostKeys, enabled: true },
    };
    const told = await configure(root, config);
    assert.deepEqual(
      told.map((line) => line.split(" ")[0]),
      ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"],
    );
    for (const hostKey of told) assert.equal(await logIn(root, hostKey), "anna");
  });
});
