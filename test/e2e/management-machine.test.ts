// A bare Debian and a stick with packages: by what the documentation says and nothing else, they become a machine that serves
// a rack, survives a power cut, is upgraded, and is given back. test/long/management-machine.test.ts goes on to a virtual Pi.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { checkout } from "../programs/checkout.ts";
import { requires } from "../requirements.ts";
import { until } from "../until.ts";
import { earlierVersion } from "./setup/earlier-package.ts";
import { type MachineWithStick, makeMachineWithStick } from "./setup/machine-with-stick.ts";

const patience = { withinMs: 600_000, everyMs: 1000 };

describe("a bare Debian and a stick with Pallet", {
  ...requires("root", "setup", "lintian"),
  timeout: 3_000_000,
}, () => {
  let made: MachineWithStick;
  const answers = (): Promise<boolean> =>
    made.run("controller", "status").then(
      () => true,
      () => false,
    );
  /** Versions of what boards boot, and which one new boots get. */
  const roots = async (): Promise<{ readonly all: readonly string[]; readonly current: string }> => ({
    all: (await made.run("ls", "/var/lib/pallet/rootfs/versions")).split("\n"),
    current: (await made.run("readlink", "/var/lib/pallet/rootfs/current")).replace("versions/", ""),
  });

  /** What a command in the machine says, and how it ends. */
  const attempt = async (...command: readonly string[]): Promise<{ code: number | undefined; text: string }> => {
    const [enter = "", ...words] = await made.machine.inside();
    const { exitCode, all } = await execa(enter, [...words, ...command], { reject: false, all: true, stdin: "ignore" });
    return { code: exitCode, text: all };
  };
  const show = (property: string): Promise<string> =>
    made.run("systemctl", "show", "--value", "--property", property, "pallet-controller.service");
  const config = (): Promise<string> => made.run("cat", "/etc/pallet/pallet.yaml");
  const apply = (): Promise<string> =>
    made.run("controller", "setup", "apply", "--rack", "eth1", "--uplink", "none", "--yes");

  const powerOn = async (): Promise<void> => {
    await made.machine.powerOn();
    // The switch is on.
    await made.machine.runAt("switch", "ip", "link", "set", "switch", "up");
  };

  before(async () => {
    made = await makeMachineWithStick();
    await powerOn();
  });
  after(() => made?.close());

  for (const name of ["controller", "rack"] as const)
    it(`pass lintian, but for what is argued (${name})`, async () => {
      const strict = ["--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0"];
      const { exitCode, all } = await execa("lintian", [...strict, made.packages[name]], { reject: false, all: true });
      assert.deepEqual([exitCode, all], [0, ""]);
    });

  it("become a machine that lacks nothing to serve a rack, without a network", async () => {
    // Its last command fails where something is missing.
    await made.asDocumented("management machine");
    assert.deepEqual(await made.versions(), [earlierVersion, earlierVersion]);
    await until(answers, "the controller does not answer", patience);
    assert.match(await show("FragmentPath"), /^(\/usr)?\/lib\/systemd\/system\//);
    assert.match(await made.run("getent", "passwd", "pallet"), /:\/var\/lib\/pallet:\/usr\/sbin\/nologin$/);
    assert.match(await config(), /^listen: 10\.77\.0\.1$/m);
    const root = "/var/lib/pallet/rootfs/current/root";
    assert.equal(await made.run("stat", "-c", "%a %u:%g", `${root}/usr/bin/pallet-agent`), "755 0:0");
    assert.equal(await made.run("stat", "-c", "%U:%G", "/var/lib/pallet/pallet.sqlite"), "pallet:pallet");
    // Once more brings no second version.
    const { all } = await roots();
    await made.run("dpkg-reconfigure", "pallet-rack");
    assert.deepEqual((await roots()).all, all);
  });

  it("serve it again after a power cut, by themselves", async () => {
    await made.machine.powerOff();
    await powerOn();
    await until(answers, "the controller does not answer", patience);
    await made.run("controller", "serve", "--check");
  });

  it("are upgraded while it serves: the controller goes on as the new one, new boots get the new root", async () => {
    const [former, settings] = [await roots(), await config()];
    assert.deepEqual(former.all, [former.current]);
    await made.run("bash", "-c", "apt install --yes /mnt/stick/newer/*.deb");
    const [version, ...others] = new Set(await made.versions());
    assert.notEqual(version, earlierVersion);
    assert.deepEqual(others, []);
    const now = await roots();
    assert.notEqual(now.current, former.current);
    await until(answers, "the controller does not answer", patience);
    await made.run("controller", "serve", "--check");
    assert.equal(await config(), settings);
    const program = await made.run("sh", "-c", "readlink /proc/$(systemctl show -P MainPID pallet-controller)/exe");
    assert.equal(program, "/usr/bin/controller", "the program that was replaced is not the one that runs");
  });

  it("refuse to go back to an earlier version, with the remedy, before anything is changed", async () => {
    const [versions, pid] = [await made.versions(), await show("MainPID")];
    const { code, text } = await attempt("sh", "-c", "dpkg --install /mnt/stick/pallet-controller_*.deb");
    assert.equal(code, 1, text);
    assert.match(text, /is installed, and \S+ is older[\s\S]*apt remove pallet-controller/);
    assert.deepEqual([await made.versions(), await show("MainPID")], [versions, pid]);
    assert.match(await made.run("dpkg", "--status", "pallet-controller"), /^Status: install ok installed$/m);
  });

  it("keep state and settings when they are removed, and go on with them, also as an earlier version", async () => {
    await made.run("apt-get", "remove", "--yes", "pallet-controller");
    assert.equal((await attempt("test", "-e", "/usr/bin/controller")).code, 1);
    await made.run("test", "-e", "/var/lib/pallet/pallet.sqlite", "-a", "-e", "/var/lib/pallet/rootfs/current");
    await made.run("sh", "-c", "cd /mnt/stick && apt-get install --yes --allow-downgrades ./pallet-*.deb");
    await apply();
    await until(answers, "the controller does not answer", patience);
  });

  it("leave nothing behind when they are purged, neither of a setup, and keep backups", async () => {
    await made.run("sh", "-c", "mkdir -p /var/backups/pallet && touch /var/backups/pallet/kept");
    await made.run("apt-get", "purge", "--yes", "pallet-controller", "pallet-rack");
    const places = ["/etc", "/usr", "/var/lib", "/var/cache"];
    // systemd's own notes of timers, and what it calls a user of a service.
    const left = await made.run("find", ...places, "-iname", "*pallet*", "!", "-path", "/var/lib/systemd/*");
    assert.equal(left, "");
    assert.equal((await attempt("nft", "list", "table", "inet", "pallet")).code, 1);
    await made.run("test", "-e", "/var/backups/pallet/kept");
    await made.run("rm", "-r", "/var/backups/pallet");
  });

  it("get their configuration back, byte for byte, when a setup is undone", async () => {
    await made.machine.powerOff();
    await powerOn();
    await made.run("sh", "-c", "cd /mnt/stick/newer && apt-get install --yes ./pallet-*.deb");
    await apply();
    await made.run("controller", "setup", "undo", "--yes");
    assert.equal(
      `${await config()}\n`,
      await readFile(path.join(checkout, "controller/setup/files/pallet.yaml"), "utf8"),
    );
    assert.equal(await made.run("dpkg", "--verify", "pallet-controller"), "");
  });
});
