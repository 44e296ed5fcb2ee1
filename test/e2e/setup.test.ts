// A fresh machine that "controller setup" makes one that serves a rack: with systemd, networkd, udev, nftables, chrony and dnsmasq.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { ended, spawnLeashed } from "../programs/leashed-process.ts";
import { requires } from "../requirements.ts";
import { until } from "../until.ts";
import { etcOf } from "./setup/etc-of.ts";
import { buildRebootingMachine, type RebootingMachine } from "./setup/rebooting-machine.ts";
import { assertServesRack, plugIn } from "./setup/world-and-rack.ts";

const patience = { withinMs: 600_000, everyMs: 200 };
const choice = ["--rack", "eth1", "--uplink", "eth0"];

/** Gives eth0 its address at every start, as a network manager that knows nothing of the rack does. */
const uplinkUnit = `[Unit]
DefaultDependencies=no
After=systemd-udevd.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip address replace 192.0.2.2/24 dev eth0 && ip link set eth0 up && ip route replace default via 192.0.2.1'
`;

describe("controller setup", { ...requires("root", "setup"), timeout: 1_800_000 }, () => {
  let machine: RebootingMachine;
  const setup = async (...args: readonly string[]): Promise<{ code: number | undefined; text: string }> => {
    const [enter = "", ...words] = await machine.inside();
    const { exitCode, all } = await execa(enter, [...words, "controller", "setup", ...args], {
      reject: false,
      all: true,
    });
    return { code: exitCode, text: all };
  };
  const run = (...command: readonly [string, ...string[]]): Promise<string> => machine.run(...command);
  const etc = (): Promise<string> => etcOf(machine);
  let fresh = "";

  before(async () => {
    machine = await buildRebootingMachine({
      files: [
        { path: "/etc/default/chrony", content: { text: 'DAEMON_OPTS="-x -F 0"\n' } },
        { path: "/usr/lib/systemd/system/uplink.service", content: { text: uplinkUnit } },
        {
          path: "/usr/lib/systemd/system/multi-user.target.wants/uplink.service",
          content: { linkTo: "../uplink.service" },
        },
      ],
    });
    await machine.powerOn();
    await plugIn(machine);
    fresh = await etc();
  });
  after(() => machine?.close());

  it("shows what it would do, and changes nothing", async () => {
    const { code, text } = await setup("plan", ...choice);
    assert.equal(code, 0, text);
    assert.match(text, /^ {2}rename eth1 to rack0$/m);
    assert.equal(await etc(), fresh);
    assert.match(await run("ip", "-brief", "link"), /^eth1@.* DOWN /m);
  });

  it("refuses an interface that leads to the world, and a range that is in use there", async () => {
    const wrong = await setup("apply", "--rack", "eth0", "--uplink", "none", "--yes");
    assert.deepEqual(
      [wrong.code, /eth0 is the way to this machine's own default route/.test(wrong.text)],
      [1, true],
      wrong.text,
    );
    const used = await setup("apply", ...choice, "--address", "192.0.2.77/24", "--yes");
    assert.deepEqual([used.code, /192\.0\.2\.0\/24 is in use on eth0/.test(used.text)], [1, true], used.text);
    assert.equal(await etc(), fresh);
  });

  it("finds another DHCP server at the rack's interface, though that is down, and leaves it down", async () => {
    const network = await machine.networkAt("switch");
    const args = ["--keep-in-foreground", "--port=0", "--conf-file=/dev/null", "--no-ping", "--leasefile-ro"];
    const dnsmasq = spawnLeashed("nsenter", [
      `--net=${network}`,
      ...["--", "dnsmasq", ...args, "--pid-file=", "--interface=switch", "--dhcp-range=10.77.0.60,10.77.0.90"],
    ]);
    const end = ended(dnsmasq);
    try {
      await until(
        async () => /:67 /.test(await machine.runAt("switch", "ss", "-Hlun")),
        "dnsmasq does not listen",
        patience,
      );
      const { code, text } = await setup("apply", ...choice, "--yes");
      assert.deepEqual([code, /another DHCP server answers on eth1: 10\.77\.0\.50/.test(text)], [1, true], text);
      assert.equal(await etc(), fresh);
      assert.match(await run("ip", "-brief", "link"), /^eth1@.* DOWN /m);
    } finally {
      dnsmasq.kill("SIGKILL");
      await end;
    }
  });

  it("says that /etc is read-only", async () => {
    await run("mount", "-o", "bind", "/etc", "/etc");
    await run("mount", "-o", "remount,bind,ro", "/etc");
    try {
      const { code, text } = await setup("apply", ...choice, "--yes");
      assert.deepEqual(
        [code, /\/etc\/systemd\/system cannot be written to: its filesystem is read-only/.test(text)],
        [1, true],
        text,
      );
    } finally {
      await run("umount", "/etc");
    }
    assert.equal(await etc(), fresh);
  });

  it("is as it was before when a disk is full, at its note or later", async () => {
    for (const [place, said] of [
      ["/var/lib/pallet", "cannot write /var/lib/pallet/setup.json: its disk is full, so nothing was changed"],
      ["/etc/pallet", "cannot write /etc/pallet/firewall.nft: its disk is full: undoing what was done"],
    ] as const) {
      const full = 'mkdir -p "$0" && mount -t tmpfs -o size=4k tmpfs "$0" && head -c 4096 /dev/zero >"$0/full"';
      await run("sh", "-c", full, place);
      try {
        const { code, text } = await setup("apply", ...choice, "--yes");
        assert.deepEqual([code, text.includes(said)], [1, true], text);
      } finally {
        await run("sh", "-c", 'umount "$0" && rmdir "$0"', place);
      }
      assert.equal(await etc(), fresh, place);
      assert.match((await setup("undo", "--yes")).text, /nothing to undo/);
    }
  });

  it("is as it was before when the rack's interface is unplugged in the middle, and says so", async () => {
    const [enter = "", ...words] = await machine.inside();
    const script =
      'controller setup apply "$@" --yes 2>&1 & pid=$!; ' +
      'while [ ! -e "$0" ]; do kill -0 $pid || exit 9; done; ip link delete eth1; wait $pid';
    const file = "/etc/systemd/network/00-pallet-rack.network";
    const { exitCode, stdout } = await execa(enter, [...words, "sh", "-c", script, file, ...choice], { reject: false });
    assert.equal(exitCode, 1, stdout);
    assert.match(stdout, /eth1 is gone, as if it was unplugged \(.*\): plug it in, and apply again: undoing/);
    assert.equal(await etc(), fresh);
    assert.equal((await setup("status")).text, "this machine was not set up");
    const card = ["eth1", "address", "02:00:00:00:00:11", "type", "veth", "peer", "name", "switch"];
    await run("ip", "link", "add", ...card, "netns", (await run("cat", "/run/switch.pid")).trim());
    await plugIn(machine);
  });

  it("leads back and forth wherever it is killed", async () => {
    for (const file of [
      "/var/lib/pallet/setup.json",
      "/etc/systemd/network/00-pallet-rack.network",
      "/etc/pallet/firewall.nft",
      "/etc/pallet/pallet.yaml",
    ]) {
      const [enter = "", ...words] = await machine.inside();
      // The machine's own shell ends it: nothing from outside would be as soon.
      const script =
        'controller setup apply "$@" --yes >/dev/null 2>&1 & pid=$!; ' +
        'while [ ! -e "$0" ]; do kill -0 $pid || exit 9; done; kill -9 $pid; pkill -9 -P $pid; wait; [ ! -e /run/never ]';
      const { exitCode } = await execa(enter, [...words, "sh", "-c", script, file, ...choice], { reject: false });
      assert.equal(exitCode, 0, `killed once there was ${file}`);
      assert.equal((await setup("status")).code, 1);
      const { code, text } = await setup("undo", "--yes");
      assert.equal(code, 0, text);
      assert.equal(await etc(), fresh, `undone after ${file}`);
      assert.match(await run("ip", "-brief", "link"), /^eth1@/m);
    }
  });

  it("makes it serve a rack", async () => {
    const { code, text } = await setup("apply", ...choice, "--yes");
    assert.equal(code, 0, text);
    assert.match(await run("ip", "-brief", "-4", "address"), /^rack0@\S+ +UP +10\.77\.0\.1\/24 *$/m);
    assert.equal(await run("cat", "/proc/sys/net/ipv4/ip_forward"), "1");
    const answers = (): Promise<boolean> =>
      run("controller", "status").then(
        () => true,
        () => false,
      );
    await until(answers, "the controller does not answer", patience);
    // It ends and starts again all the time: NFS cannot export this machine's disk, an overlay whose files have no handles.
    const user = "stat --format=%U /proc/$(systemctl show --property=MainPID --value pallet-controller) 2>&1 || true";
    await until(async () => (await run("sh", "-c", user)) === "pallet", "it does not run as its own user", patience);
    // Its exit code is 1: nothing has been built for nodes to boot.
    const { problems } = JSON.parse(await run("sh", "-c", "controller serve --check --json || true"));
    const parts = problems.map(({ part }: { part: string }) => part);
    assert.deepEqual(
      parts.filter((part: string) => !["boot tree", "root filesystem"].includes(part)),
      [],
      JSON.stringify(problems),
    );
  });

  it("changes nothing when it is done again", async () => {
    const applied = await etc();
    const { code, text } = await setup("apply", ...choice, "--yes");
    assert.equal(code, 0);
    assert.match(text, /nothing to do/);
    assert.equal(await etc(), applied);
  });

  it("lets nodes have the time and the world, as this machine, and nothing else of it", async () => {
    await assertServesRack(machine);
  });

  it("has all of it back after a power cut, also when the rack's cable comes later", async () => {
    await machine.powerOff();
    await machine.powerOn();
    const address = async (): Promise<boolean> =>
      /^rack0@.* 10\.77\.0\.1\/24/m.test(await run("ip", "-brief", "-4", "address"));
    await until(address, "rack0 has no address without a cable", patience);
    await plugIn(machine);
    await until(
      async () => (await run("systemctl", "is-active", "chrony").catch(() => "")) === "active",
      "no chrony",
      patience,
    );
    await assertServesRack(machine);
    const { text } = await setup("status");
    assert.match(text, /^rack0 +link$/m);
    assert.match(text, /^pallet-firewall\.service +active$/m);
    assert.match((await setup("plan", ...choice)).text, /nothing to do/);
  });

  it("keeps its firewall beside Debian's, which flushes everything when it starts", async () => {
    // Its own unit follows in a job of its own, which systemctl does not wait for.
    const hasOurs = async (): Promise<boolean> => /^table inet pallet$/m.test(await run("nft", "list", "tables"));
    for (const again of ["restart", "restart", "reload"]) {
      await run("systemctl", again, "nftables");
      await until(hasOurs, `the firewall did not come back after a ${again} of nftables`, patience);
    }
    await run("systemctl", "stop", "nftables");
    await run("systemctl", "start", "pallet-firewall");
  });

  it("names a file that a person changed, and neither writes over it nor removes it", async () => {
    const file = "/etc/sysctl.d/99-zz-pallet.conf";
    const original = await run("cat", file);
    await run("sh", "-c", `echo '# mine' >> ${file}`);
    const applied = await setup("apply", ...choice, "--yes");
    assert.deepEqual(
      [applied.code, applied.text.includes(`${file} is not as a setup wrote it`)],
      [1, true],
      applied.text,
    );
    const undone = await setup("undo", "--yes");
    assert.deepEqual([undone.code, undone.text.includes(`${file} was changed since`)], [1, true], undone.text);
    assert.match((await setup("status")).text, new RegExp(`^${file} +changed$`, "m"));
    assert.match(await run("tail", "-n1", file), /mine/);
    await run("sh", "-c", 'printf "%s\\n" "$1" > "$0"', file, original);
  });

  it("is undone: files byte for byte, names, addresses, services", async () => {
    const { code, text } = await setup("undo", "--yes");
    assert.equal(code, 0, text);
    assert.equal(await etc(), fresh);
    const links = await run("ip", "-brief", "address");
    assert.match(links, /^eth1@/m);
    assert.doesNotMatch(links, /10\.77\.0\.1/);
    assert.equal(await run("cat", "/proc/sys/net/ipv4/ip_forward"), "0");
    assert.doesNotMatch(await run("nft", "list", "tables"), /pallet/);
    await assert.rejects(run("id", "pallet"));
    assert.equal(await run("find", "/var/lib", "-maxdepth", "1", "-name", "pallet-broker"), "");
    assert.equal(await run("find", "/var/lib/pallet", "!", "-user", "root"), "");
    for (const unit of ["systemd-networkd", "pallet-controller", "pallet-broker.socket", "pallet-firewall"])
      await assert.rejects(run("systemctl", "is-active", unit), unit);
    assert.match((await setup("undo", "--yes")).text, /nothing to undo/);
  });
});
