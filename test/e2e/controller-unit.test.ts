// The controller as a service of a real systemd, with all that its unit takes from it: everything that it does works.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { stringify } from "yaml";
import { requires } from "../requirements.ts";
import { bootTree, makeSmallImage, rootTree } from "../unit/controller/images/small-image.ts";
import { until } from "../until.ts";
import { bootSystemdMachine, nodeInside, type SystemdMachine } from "./systemd/systemd-machine.ts";

const rootfs = "/var/lib/pallet/rootfs";
/** Versions of the root filesystem: one that nobody uses, and the one for new boots. */
const [oldRoot, newRoot] = ["20260101-000000-00000001", "20260101-000000-00000002"];
const sharedFile = `nfs://10.78.0.1${rootfs}/versions/${newRoot}/root/etc/hostname?version=3`;
/** Opens a place for foreign files, as capturing an image does. */
const openSpace = `
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { openForeignSpace } from "/mnt/checkout/controller/images/derive/foreign-space.ts";
const folder = mkdtempSync("/var/lib/pallet/images/space-");
mkdirSync(folder + "/top");
writeFileSync(folder + "/image.raw", "");
const space = await openForeignSpace(folder + "/top", [{ path: folder + "/image.raw", as: "image.raw" }]);
console.log("a place with " + (await space.run("sh", ["-c", "echo $(id -u) $(ls)"], {})).trim());
await space.close();
`;
const hook = "/usr/local/bin/look-around";
/** What a hook of this unit can do, as controller/README.md says. */
const look = `#!/bin/sh
id --user --name
for folder in /var/lib/pallet /var/cache/pallet /run/pallet /tmp; do touch $folder/by-hook && rm $folder/by-hook && echo "writes $folder"; done
for folder in /usr/local /etc /etc/pallet /var/lib/pallet/boot /var/lib/pallet/rootfs; do touch $folder/by-hook 2>/dev/null || echo "may not write $folder"; done
[ -n "$(ls -A /root 2>/dev/null)" ] || echo "does not see /root"
${nodeInside} /run/out/open-space.ts
exit 7
`;
const patience = { withinMs: 240_000, everyMs: 500 };

describe("the controller's unit", { ...requires("root", "FUSE", "systemd-analyze"), timeout: 1_200_000 }, () => {
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
    for (const id of [oldRoot, newRoot]) {
      const version = `${rootfs}/versions/${id}`;
      await run("mkdir", "-p", `${version}/root/etc`);
      await run("sh", "-c", `umask 077; echo shared > ${version}/root/etc/hostname`);
      await run("sh", "-c", `echo '{"agent": {"sizeBytes": 1, "digest": "0"}}' > ${version}/manifest.json`);
    }
    await run("ln", "-s", `versions/${newRoot}`, `${rootfs}/current`);
    await writeFile(path.join(machine.out, "open-space.ts"), openSpace);
    await run("sh", "-c", 'printf %s "$1" >"$0" && chmod 755 "$0"', hook, look);
    // Debian's nfs-kernel-server has this program, and brings no /etc/exports.d.
    await run("install", "-m", "755", "/bin/true", "/usr/local/bin/exportfs");
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
    assert.equal(await run("stat", "--format=%a %U %G", "/var/lib/pallet"), "1770 root pallet");
  });

  it("leaves it no user but its own, and no capability but that of TFTP's port", async () => {
    const status = await run("cat", `/proc/${await mainPid()}/status`);
    const uid = await run("id", "-u", "pallet");
    assert.match(status, new RegExp(`^Uid:\\s${uid}\\s${uid}\\s${uid}\\s${uid}$`, "m"));
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
      assert.match(status, new RegExp(`^${set}:\\s0{13}400$`, "m"), status);
  });

  it("has a check by root see with its user's eyes", async () => {
    const rights = async (): Promise<readonly string[]> => {
      const { problems } = JSON.parse(await run("sh", "-c", "controller serve --check --json || true"));
      const own = problems.filter(({ part }: { part: string }) => part === "rights");
      return own.map(({ remedy }: { remedy: string }) => remedy);
    };
    assert.deepEqual(await rights(), []);
    const profile = "/etc/pallet/profiles/closed.yaml";
    await run("sh", "-c", `mkdir -p -m 755 /etc/pallet/profiles && echo >${profile} && chmod 600 ${profile}`);
    assert.deepEqual(await rights(), [`chgrp -R pallet ${profile} && chmod -R g+rX ${profile}`]);
    await run("rm", "-r", "/etc/pallet/profiles");
  });

  it("lets nfs-ganesha export the root filesystem, files of root alone too", async () => {
    await until(async () => (await run("ss", "-Hltn", "sport = :2049")) !== "", log, patience);
    assert.equal(await run("nfs-cat", sharedFile), "shared");
  });

  it("lets the broker write where the kernel's own NFS server looks", async () => {
    const broker = await run("systemctl", "show", "--property=MainPID", "--value", "pallet-broker");
    const file = "/etc/exports.d/pallet.exports";
    await run("nsenter", "--mount", "--target", broker, "--", "touch", file);
    await run("rm", file);
  });

  it("has a board's question for an address answered", async () => {
    const asked = await run(
      ...["busybox", "udhcpc", "-i", "peer0", "-n", "-q", "-f", "-t", "10", "-T", "2"],
      ...["-s", "/bin/true"],
    ).catch((error: unknown) => String(error));
    const leases = await run("cat", "/var/lib/pallet-broker/dnsmasq/leases");
    assert.match(leases, / 10\.78\.0\.1\d\d /, `${asked}\n${log()}`);
  });

  it("lets it remove a version of the root filesystem that nobody uses, and no other", async () => {
    await run("controller", "rootfs", "remove", oldRoot);
    assert.equal(await run("ls", `${rootfs}/versions`), newRoot);
    await assert.rejects(run("controller", "rootfs", "remove", newRoot), /new boots get/);
    assert.equal(await run("nfs-cat", sharedFile), "shared");
  });

  it("leaves somebody who has taken it over nothing outside of its own files", async () => {
    const asPallet = (script: string): Promise<string> =>
      run(
        ...["setpriv", "--reuid=pallet", "--regid=pallet", "--init-groups", "--no-new-privs"],
        ...["sh", "-c", `{ ${script}; } 2>&1; true`],
      );
    const ask = (request: object): string => {
      const text = JSON.stringify(request);
      const script =
        'const f=Buffer.alloc(5);f.write("J");const t=process.argv[1];f.writeUInt32BE(Buffer.byteLength(t),1);' +
        's=require("net").connect("/run/pallet-broker.sock");s.write(f);s.write(t);' +
        's.on("data",(d)=>{console.log(String(d));process.exit()});s.on("close",()=>process.exit())';
      return `${nodeInside} -e '${script}' '${text}'`;
    };
    for (const [script, answer] of [
      [`mv ${rootfs} /var/lib/pallet/mine`, /Operation not permitted/],
      [`rm -rf ${rootfs}`, /Permission denied|Operation not permitted/],
      [`ln -sfn / ${rootfs}/current`, /Permission denied/],
      ["touch /var/lib/pallet-broker/dnsmasq/dnsmasq.conf", /Permission denied/],
      ["echo >> /etc/pallet/pallet.yaml", /Permission denied|cannot create/],
      [ask({ verb: "run", command: ["/bin/sh", "-c", "touch /etc/pwned"] }), /request is refused: verb/],
      [
        ask({ verb: "dnsmasq", dhcp: { mode: "server", script: "/bin/sh" }, advertise: "10.78.0.1", hosts: [] }),
        /dhcp in .* is not what the controller goes by/,
      ],
      [ask({ verb: "nfs", mode: "ganesha", path: "/" }), /nfs\.rootfs in .* is not what the controller goes by/],
      [ask({ verb: "roots", store: "/etc" }), /nfs\.rootfs in .* is not what the controller goes by/],
    ] as const)
      assert.match(await asPallet(script), answer, script);
    assert.equal(await run("ls", `${rootfs}/versions`), newRoot);
    assert.equal(await run("find", "/etc", "-name", "pwned"), "");
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
      "pallet",
      ...["/var/lib/pallet", "/var/cache/pallet", "/run/pallet", "/tmp"].map((folder) => `writes ${folder}`),
      ...["/usr/local", "/etc", "/etc/pallet", "/var/lib/pallet/boot", "/var/lib/pallet/rootfs"].map(
        (folder) => `may not write ${folder}`,
      ),
      "does not see /root",
      "a place with 0 bin dev etc image.raw lib lib64 sbin tmp usr".replace(process.arch === "x64" ? "" : " lib64", ""),
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
    await until(
      () =>
        run("nfs-cat", sharedFile).then(
          (text) => text === "shared",
          () => false,
        ),
      log,
      patience,
    );
  });

  it("goes on from a backup that root restored", async () => {
    await run("systemctl", "stop", "pallet-controller");
    const newest = (await run("ls", "/var/backups/pallet")).split("\n").at(-1);
    await run("controller", "restore", "--replace", `/var/backups/pallet/${newest}`);
    const ours = await run(
      "find",
      "/var/lib/pallet",
      "-maxdepth",
      "1",
      "-name",
      "pallet.sqlite*",
      "!",
      "-user",
      "pallet",
    );
    assert.equal(ours, "");
    await run("systemctl", "start", "pallet-controller");
    await until(answers, log, patience);
    assert.match(await run("controller", "images"), /^new /m);
  });

  it("ends it in order, and leaves nothing running", async () => {
    await run("systemctl", "stop", "pallet-controller");
    assert.equal(await run("systemctl", "show", "--property=Result", "--value", "pallet-controller"), "success");
    assert.equal(await run("ss", "-Hlntu"), "");
  });
});
