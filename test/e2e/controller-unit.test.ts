// The controller as a service of a real systemd, with all that its unit takes from it: everything that it does works.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { stringify } from "yaml";
import { requires } from "../requirements.ts";
import { bootTree, makeSmallImage, rootTree } from "../unit/controller/images/small-image.ts";
import { until } from "../until.ts";
import { bootSystemdMachine, type SystemdMachine } from "./systemd/systemd-machine.ts";

const rootfs = "/var/lib/rootfs";
const hook = "/usr/local/bin/look-around";
/** What a hook of this unit can do, as controller/README.md says. */
const look = `#!/bin/sh
for folder in /var/lib/pallet /var/cache/pallet /run/pallet /tmp; do touch $folder/by-hook && rm $folder/by-hook && echo "writes $folder"; done
for folder in /usr/local /etc; do touch $folder/by-hook 2>/dev/null || echo "may not write $folder"; done
[ -n "$(ls -A /root)" ] || echo "does not see /root"
exit 7
`;
const patience = { withinMs: 60_000, everyMs: 200 };

describe("the controller's unit", { ...requires("root", "FUSE", "systemd-analyze"), timeout: 300_000 }, () => {
  let machine: SystemdMachine;
  const run = (...command: readonly [string, ...string[]]): Promise<string> => machine.run(...command);
  const log = (): string => readFileSync(path.join(machine.out, "log"), "utf8");
  const mainPid = (): Promise<string> => run("systemctl", "show", "--property=MainPID", "--value", "pallet-controller");
  const answers = (): Promise<boolean> =>
    run("controller", "status").then(
      () => true,
      () => false,
    );

  before(async () => {
    machine = await bootSystemdMachine(
      stringify({
        listen: "10.78.0.1",
        dhcp: { mode: "server", interface: "pallet0", range: ["10.78.0.100", "10.78.0.199"] },
        nfs: { mode: "ganesha", rootfs },
        hooks: [{ name: "look", when: "before-reimage", command: [hook] }],
      }),
    );
    await run("mkdir", "-p", `${rootfs}/etc`);
    await run("sh", "-c", `umask 077; echo shared > ${rootfs}/etc/hostname`);
    await run("sh", "-c", 'printf %s "$1" >"$0" && chmod 755 "$0"', hook, look);
    await run("systemctl", "start", "pallet-controller");
    await until(answers, "the controller does not answer", patience);
  });
  after(() => machine?.close());

  it("lets it serve DHCP, TFTP, HTTP, gRPC and its socket", async () => {
    await until(() => log().includes('"msg":"serving"'), log, patience);
    const sockets = await run("ss", "-Hlnptu");
    for (const port of ["%pallet0:67", ".1:69", ".1:7700", ".1:7701", ".1:7702"])
      assert.match(sockets, new RegExp(`${port.replaceAll(".", "\\.")}\\s`), sockets);
    assert.match(await run("controller", "status"), /^tftp +10\.78\.0\.1:69$/m);
    assert.equal(await run("stat", "--format=%a", "/var/lib/pallet"), "700");
  });

  it("lets nfs-ganesha export the root filesystem, files of root alone too", async () => {
    await until(async () => (await run("ss", "-Hltn", "sport = :2049")) !== "", log, patience);
    assert.equal(await run("nfs-cat", `nfs://10.78.0.1${rootfs}/etc/hostname?version=3`), "shared");
  });

  it("lets it add an image, and derive another, whose filesystem is written in a namespace without rights", async () => {
    for (const [name, tree] of [
      ["old", rootTree],
      ["new", { ...rootTree, "etc/new": "new\n" }],
    ] as const)
      await makeSmallImage(path.join(machine.out, `${name}.img`), [
        { filesystem: "vfat", tree: bootTree },
        { filesystem: "ext4", tree },
      ]);
    assert.match(await run("controller", "images", "add", "/run/out/old.img", "--name", "old"), /^added old: /m);
    const derived = await run("controller", "images", "derive", "new", "--from", "old", "--with", "/run/out/new.img");
    assert.match(derived, /^added new: /m);
  });

  it("lets its hooks write where it may, and nowhere else", async () => {
    const mac = "02:00:00:00:00:99";
    const config = `pxelinux.cfg/01-${mac.replaceAll(":", "-")}`;
    await run("curl", "-sS", "--output", "/dev/null", `tftp://10.78.0.1/${config}`);
    await run("controller", "node", "accept", mac);
    await run("controller", "reimage", mac, "--image", "old", "--yes", "--detach");
    const found = async (): Promise<string> => {
      const [rollout] = JSON.parse(await run("controller", "rollouts", "--json"));
      return rollout?.reimages[0]?.failure?.found ?? "";
    };
    await until(async () => (await found()) !== "", log, patience);
    assert.deepEqual((await found()).split("\n"), [
      ...["/var/lib/pallet", "/var/cache/pallet", "/run/pallet", "/tmp"].map((folder) => `writes ${folder}`),
      ...["/usr/local", "/etc"].map((folder) => `may not write ${folder}`),
      "does not see /root",
    ]);
  });

  it("lets a backup be taken by a unit that sees its socket and one folder", async () => {
    // It is this machine's own, read-only.
    await run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/var/backups");
    for (let count = 0; count < 2; count += 1) {
      // Its name is that of the second.
      await run("sleep", "1.1");
      await run("systemctl", "start", "pallet-backup.service").catch((error: unknown) => {
        throw new Error(log(), { cause: error });
      });
    }
    const names = (await run("ls", "-A", "/var/backups/pallet")).split("\n");
    assert.equal(names.length, 2, names.join());
    const newest = `/var/backups/pallet/${names.at(-1)}`;
    assert.equal(await run("stat", "--format=%a %U", newest), "600 root");
    const content = await run("tar", "--zstd", "-tf", newest);
    for (const name of ["pallet.sqlite", "identity/authority.pem", "config/pallet.yaml", "SHA256SUMS"])
      assert.ok(content.split("\n").includes(name), content);
    assert.match(
      await run("controller", "events"),
      /backup-taken .*\/var\/backups\/pallet\/pallet-\d{8}-\d{6}\.tar\.zst/,
    );
  });

  it("has it back at once when it was killed, with all that it had started", async () => {
    const killed = await mainPid();
    await run("systemctl", "kill", "--kill-who=main", "--signal=KILL", "pallet-controller");
    await until(async () => (await mainPid()) !== killed && (await answers()), log, patience);
    assert.match(await run("controller", "images"), /^new /m);
    await until(async () => /%pallet0:67\s/.test(await run("ss", "-Hlnu")), log, patience);
    assert.equal(await run("nfs-cat", `nfs://10.78.0.1${rootfs}/etc/hostname?version=3`), "shared");
  });

  it("ends it in order, and leaves nothing running", async () => {
    await run("systemctl", "stop", "pallet-controller");
    assert.equal(await run("systemctl", "show", "--property=Result", "--value", "pallet-controller"), "success");
    assert.equal(await run("ss", "-Hlntu"), "");
  });
});
