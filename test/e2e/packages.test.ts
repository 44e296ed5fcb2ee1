// The Debian packages, as a person with a USB stick and no network uses them: on a bare Debian with systemd, by dpkg and apt.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { checkout } from "../programs/checkout.ts";
import { requires } from "../requirements.ts";
import { until } from "../until.ts";
import { provideDebianRoot } from "./setup/debian-root.ts";
import { buildRebootingMachine, type RebootingMachine } from "./setup/rebooting-machine.ts";

const patience = { withinMs: 120_000, everyMs: 500 };
const architecture = process.arch === "arm64" ? "arm64" : "amd64";
const service = "pallet-controller.service";
const stick = "/mnt/stick";

describe("the Debian packages", { ...requires("root", "lintian"), timeout: 3_600_000 }, () => {
  let folder: string;
  let machine: RebootingMachine;
  let ours: { readonly controller: string; readonly rack: string; readonly newer: string };

  /** What a command in the machine says, and how it ends. */
  const attempt = async (...command: readonly string[]): Promise<{ code: number | undefined; text: string }> => {
    const [enter = "", ...words] = await machine.inside();
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    const { exitCode, all } = await execa(enter, [...words, ...command], {
      reject: false,
      all: true,
      stdin: "ignore",
      env,
    });
    return { code: exitCode, text: all };
  };
  const succeed = async (...command: readonly string[]): Promise<string> => {
    const { code, text } = await attempt(...command);
    assert.equal(code, 0, `${command.join(" ")}: ${text}`);
    return text;
  };
  const show = (property: string): Promise<string> =>
    machine.run("systemctl", "show", "--value", "--property", property, service);
  const serves = (): Promise<boolean> => attempt("controller", "status", "--json").then(({ code }) => code === 0);
  const packagedConfig = (): Promise<string> =>
    readFile(path.join(checkout, "controller/setup/files/pallet.yaml"), "utf8");

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-packages-"));
    const program = path.join(checkout, "scripts/packages/main.ts");
    const words = ["--architecture", architecture, "--with-dependencies", "--out", folder];
    await execa(process.execPath, [program, ...words]);
    const names = await readdir(folder);
    const named = (start: string): string => {
      const found = names.filter((name) => name.startsWith(start));
      assert.equal(found.length, 1, names.join(" "));
      return found[0] ?? "";
    };
    ours = {
      controller: named("pallet-controller_"),
      rack: named("pallet-rack_"),
      newer: await makeNewer(folder, named("pallet-controller_")),
    };
    machine = await buildRebootingMachine({
      root: await provideDebianRoot(),
      withController: false,
      folders: { [stick]: folder },
    });
    await machine.powerOn();
  });
  after(async () => {
    await machine?.close();
    await rm(folder, { recursive: true, force: true });
  });

  for (const name of ["controller", "rack"] as const)
    it(`pass lintian, but for what is argued (${name})`, async () => {
      const args = [
        "--allow-root",
        "--fail-on",
        "error,warning",
        "--tag-display-limit",
        "0",
        path.join(folder, ours[name]),
      ];
      const { exitCode, all } = await execa("lintian", args, { reject: false, all: true });
      assert.equal(exitCode, 0, all);
      assert.equal(all, "");
    });

  it("are installed without a network, and serve nothing before they are told what", async () => {
    await succeed("sh", "-c", `cd ${stick} && apt-get install --yes ./*.deb`);
    assert.equal(await show("ActiveState"), "inactive");
    assert.equal(await show("UnitFileState"), "disabled");
    assert.equal(`${await machine.run("cat", "/etc/pallet/pallet.yaml")}\n`, await packagedConfig());
    assert.match(await machine.run("getent", "passwd", "pallet"), /:\/var\/lib\/pallet:\/usr\/sbin\/nologin$/);
  });

  it("brought what boards boot: a version with its owners, and a boot tree", async () => {
    const owners = await machine.run(
      "sh",
      "-c",
      "cd /var/lib/pallet/rootfs/current/root && stat -c '%a %u:%g %n' etc/shadow usr/bin/pallet-agent var/mail 2>/dev/null || true",
    );
    assert.match(owners, /^755 0:0 usr\/bin\/pallet-agent$/m);
    await succeed("sh", "-c", "cd /var/lib/pallet/boot && test -s u-boot.bin -a -s start4.elf -a -s agent/vmlinuz");
    // Once more changes nothing.
    const versions = () => machine.run("ls", "/var/lib/pallet/rootfs/versions");
    const before = await versions();
    await succeed("dpkg-reconfigure", "pallet-rack");
    assert.equal(await versions(), before);
  });

  it("make it serve a rack by the unit of the package, after a setup", async () => {
    await succeed("controller", "setup", "apply", "--rack", "eth1", "--uplink", "none", "--yes");
    await until(serves, "the controller does not answer", patience);
    assert.match(await show("FragmentPath"), /^(\/usr)?\/lib\/systemd\/system\//);
    assert.match(await machine.run("cat", "/etc/pallet/pallet.yaml"), /^listen: 10\.77\.0\.1$/m);
    const { problems } = JSON.parse(
      (await attempt("sh", "-c", "controller serve --check --json 2>/dev/null || true")).text,
    );
    assert.deepEqual(problems, []);
  });

  it("are upgraded without a question, and the controller runs on with the new program", async () => {
    const [pid, config] = [await show("MainPID"), await machine.run("cat", "/etc/pallet/pallet.yaml")];
    await succeed("dpkg", "--install", `${stick}/newer/${ours.newer}`);
    await until(serves, "the controller does not answer", patience);
    assert.notEqual(await show("MainPID"), pid);
    assert.equal(await machine.run("cat", "/etc/pallet/pallet.yaml"), config);
  });

  it("refuse to go back to an older version, with the remedy, before anything is changed", async () => {
    const [pid, version] = [await show("MainPID"), await machine.run("dpkg-query", "--show", "pallet-controller")];
    const { code, text } = await attempt("dpkg", "--install", `${stick}/${ours.controller}`);
    assert.equal(code, 1, text);
    assert.match(text, /is installed, and \S+ is older[\s\S]*apt remove pallet-controller/);
    assert.equal(await machine.run("dpkg-query", "--show", "pallet-controller"), version);
    assert.match(await machine.run("dpkg", "--status", "pallet-controller"), /^Status: install ok installed$/m);
    assert.equal(await show("MainPID"), pid);
    assert.equal(await serves(), true);
  });

  it("keep state and configuration when they are removed, and go on with them", async () => {
    await succeed("apt-get", "remove", "--yes", "pallet-controller");
    await succeed("test", "-e", "/var/lib/pallet/pallet.sqlite", "-a", "-e", "/var/lib/pallet/rootfs/current");
    assert.equal((await attempt("test", "-e", "/usr/bin/controller")).code, 1);
    // Also the older one: it was removed on purpose.
    await succeed("sh", "-c", `cd ${stick} && apt-get install --yes --allow-downgrades ./pallet-*.deb`);
    await succeed("controller", "setup", "apply", "--rack", "eth1", "--uplink", "none", "--yes");
    await until(serves, "the controller does not answer", patience);
  });

  it("leave nothing behind when they are purged, neither of a setup, and keep backups", async () => {
    await succeed("sh", "-c", "mkdir -p /var/backups/pallet && touch /var/backups/pallet/kept");
    await succeed("apt-get", "purge", "--yes", "pallet-controller", "pallet-rack");
    const left =
      "find /etc /usr/bin /usr/lib/systemd /usr/lib/sysusers.d /usr/lib/tmpfiles.d /var/lib /var/cache /usr/share";
    const found = await machine.run("sh", "-c", `${left} -iname '*pallet*' ! -path '/var/lib/systemd/*'`);
    assert.equal(found, "");
    assert.equal((await attempt("nft", "list", "table", "inet", "pallet")).code, 1);
    await succeed("test", "-e", "/var/backups/pallet/kept");
    await machine.run("rm", "-r", "/var/backups/pallet");
  });

  it("get their configuration back, byte for byte, when a setup is undone", async () => {
    await machine.powerOff();
    await machine.powerOn();
    await succeed("sh", "-c", `cd ${stick} && apt-get install --yes ./pallet-*.deb`);
    await succeed("controller", "setup", "apply", "--rack", "eth1", "--uplink", "none", "--yes");
    await succeed("controller", "setup", "undo", "--yes");
    assert.equal(`${await machine.run("cat", "/etc/pallet/pallet.yaml")}\n`, await packagedConfig());
    assert.equal(await machine.run("dpkg", "--verify", "pallet-controller"), "");
    await succeed("apt-get", "purge", "--yes", "pallet-controller", "pallet-rack");
  });
});

/** The same package as of a later commit; not compressed, because nobody carries it anywhere. Returns its name in newer/. */
async function makeNewer(folder: string, name: string): Promise<string> {
  const work = await mkdtemp(path.join(folder, ".newer-"));
  await execa("dpkg-deb", ["--raw-extract", path.join(folder, name), work]);
  const version = name.split("_")[1] ?? "";
  const later = `${version}.later`;
  for (const file of ["control", "preinst"]) {
    const at = path.join(work, "DEBIAN", file);
    await writeFile(at, (await readFile(at, "utf8")).replaceAll(version, later));
  }
  await mkdir(path.join(folder, "newer"));
  const newer = name.replace(version, later);
  await execa("dpkg-deb", ["--root-owner-group", "-Znone", "--build", work, path.join(folder, "newer", newer)]);
  await rm(work, { recursive: true });
  return newer;
}
