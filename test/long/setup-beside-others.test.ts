// "controller setup" on machines whose network somebody else keeps: Debian's own NetworkManager, netplan, ifupdown, dhcpcd,
// systemd-networkd, ufw and firewalld, each in a Debian of its own that starts, is set up, restarts and is undone.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { provideDebianRoot } from "../e2e/setup/debian-root.ts";
import { etcOf } from "../e2e/setup/etc-of.ts";
import { buildRebootingMachine } from "../e2e/setup/rebooting-machine.ts";
import { assertServesRack, plugIn } from "../e2e/setup/world-and-rack.ts";
import type { InstalledFile } from "../e2e/systemd/systemd-machine.ts";
import { requires } from "../requirements.ts";
import { until } from "../until.ts";

const patience = { withinMs: 600_000, everyMs: 300 };
const choice = ["--rack", "eth1", "--uplink", "eth0"];
const needed = "nftables chrony dnsmasq-base nfs-ganesha nfs-ganesha-vfs rpcbind".split(" ");

/** A machine whose network somebody keeps. */
interface Row {
  readonly title: string;
  readonly packages: readonly string[];
  /** Their texts by their paths; only root reads those of NetworkManager and netplan. */
  readonly files: Readonly<Record<string, string>>;
  /** Run once, when it has started, before anything is looked at. */
  readonly prepare?: string;
  /** What it says of the rack's interface, when the manager has it. */
  readonly has?: RegExp;
  /** What is in the way, and what somebody does about it, as the remedy says. */
  readonly refused?: { readonly message: RegExp; readonly remedy: string };
  /** What has to be so once it is set up and has restarted: a command, and its output. */
  readonly afterwards?: readonly (readonly [command: string, output: RegExp])[];
}

const networkManager = (name: string, lines: string, address: string): string =>
  `[connection]\nid=${name}\ntype=ethernet\n${lines}\n[ipv4]\nmethod=manual\naddress1=${address}\n[ipv6]\nmethod=disabled\n`;
const connections = "/etc/NetworkManager/system-connections";
const uplinkOfNetworkManager = {
  [`${connections}/uplink.nmconnection`]: networkManager("uplink", "interface-name=eth0", "192.0.2.2/24,192.0.2.1"),
};
const netplan = (renderer: string, rack: string): string =>
  `network:\n  version: 2\n  renderer: ${renderer}\n  ethernets:\n    eth0:\n      addresses: [192.0.2.2/24]\n` +
  `      routes: [{to: default, via: 192.0.2.1}]\n${rack}`;
const uplinkOfIfupdown =
  "auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet static\n  address 192.0.2.2/24\n  gateway 192.0.2.1\n";
const leftAlone = [["nmcli -g DEVICE,STATE device", /^rack0:unmanaged$/m]] as const;

const uplinkOfNetworkd = {
  "/etc/systemd/network/20-uplink.network": "[Match]\nName=eth0\n[Network]\nAddress=192.0.2.2/24\nGateway=192.0.2.1\n",
};

const rows: readonly Row[] = [
  {
    title: "NetworkManager with a profile for any Ethernet interface",
    packages: ["network-manager"],
    files: {
      ...uplinkOfNetworkManager,
      [`${connections}/any.nmconnection`]: networkManager("any", "autoconnect-priority=-10", "10.5.5.5/24"),
    },
    has: /inet 10\.5\.5\.5\/24/,
    afterwards: leftAlone,
  },
  {
    title: "NetworkManager, which asks DHCP on an interface that it has no profile for",
    packages: ["network-manager"],
    files: uplinkOfNetworkManager,
    prepare: "until nmcli -g DEVICE,STATE device | grep -q '^eth1:connecting'; do sleep 0.3; done",
    afterwards: leftAlone,
  },
  {
    title: "NetworkManager with a profile for the rack's interface",
    packages: ["network-manager"],
    files: {
      ...uplinkOfNetworkManager,
      [`${connections}/lan.nmconnection`]: networkManager("lan", "interface-name=eth1", "10.5.5.5/24"),
    },
    has: /inet 10\.5\.5\.5\/24/,
    refused: {
      message: /NetworkManager configures eth1 by \/etc\/NetworkManager\/system-connections\/lan\.nmconnection/,
      remedy: "nmcli connection delete lan",
    },
    afterwards: leftAlone,
  },
  {
    title: "netplan with systemd-networkd, which has the rack's interface by its name",
    packages: ["netplan.io"],
    files: { "/etc/netplan/50.yaml": netplan("networkd", "    eth1: {addresses: [10.5.5.5/24]}\n") },
    has: /inet 10\.5\.5\.5\/24/,
    refused: {
      message: /netplan configures eth1 by \/etc\/netplan\/50\.yaml/,
      remedy: "sed -i /eth1/d /etc/netplan/50.yaml && netplan apply",
    },
  },
  {
    title: "netplan with systemd-networkd, and a rule for every interface of a driver",
    packages: ["netplan.io"],
    files: {
      "/etc/netplan/50.yaml": netplan("networkd", "    wide: {match: {driver: veth}, addresses: [10.5.5.5/24]}\n"),
    },
    has: /inet 10\.5\.5\.5\/24/,
  },
  {
    title: "netplan with NetworkManager",
    packages: ["netplan.io", "network-manager"],
    files: { "/etc/netplan/50.yaml": netplan("NetworkManager", "") },
    afterwards: leftAlone,
  },
  {
    title: "ifupdown, which has the rack's interface",
    packages: [],
    files: {
      "/etc/network/interfaces": `${uplinkOfIfupdown}auto eth1\niface eth1 inet static\n  address 10.5.5.5/24\n`,
    },
    has: /inet 10\.5\.5\.5\/24/,
    refused: {
      message: /ifupdown configures eth1 by \/etc\/network\/interfaces/,
      remedy: "ifdown eth1; sed -i '/eth1/,$d' /etc/network/interfaces",
    },
  },
  {
    title: "dhcpcd, which has every interface",
    packages: ["dhcpcd"],
    files: {
      "/etc/dhcpcd.conf": "interface eth0\nstatic ip_address=192.0.2.2/24\nstatic routers=192.0.2.1\n",
    },
    refused: {
      message:
        /dhcpcd runs, and configures every interface\s+remedy: add "denyinterfaces eth1 rack0" to \/etc\/dhcpcd\.conf/,
      remedy: "sed -i '1i denyinterfaces eth1 rack0' /etc/dhcpcd.conf && systemctl restart dhcpcd",
    },
  },
  {
    title: "systemd-networkd, which has the uplink",
    packages: [],
    files: uplinkOfNetworkd,
    prepare: "systemctl enable --now systemd-networkd",
  },
  {
    title: "systemd-networkd, whose rule for the uplink is one for the rack's interface, too",
    packages: [],
    files: {
      ...uplinkOfNetworkd,
      "/etc/systemd/network/30-wide.network": "[Match]\nName=eth*\n[Network]\nAddress=10.5.5.5/24\n",
    },
    prepare: "systemctl enable --now systemd-networkd",
    has: /inet 10\.5\.5\.5\/24/,
  },
  {
    title: "ufw, which drops what it was told nothing about",
    packages: ["ufw"],
    files: { "/etc/network/interfaces": uplinkOfIfupdown },
    prepare: "ufw --force enable",
    refused: {
      message: /drops what it has no rule for.*\s+remedy: ufw allow in on rack0 && ufw route allow in on rack0/,
      remedy: "ufw allow in on rack0 && ufw route allow in on rack0",
    },
    afterwards: [["ufw status", /^Status: active$/m]],
  },
  {
    title: "firewalld, which rejects what it was told nothing about",
    packages: ["firewalld"],
    files: { "/etc/network/interfaces": uplinkOfIfupdown },
    prepare: "systemctl is-active firewalld",
    refused: {
      message:
        /firewalld drops.*\s+remedy: firewall-cmd --permanent --zone=trusted --add-interface=rack0 && firewall-cmd --reload/,
      remedy: "firewall-cmd --permanent --zone=trusted --add-interface=rack0 && firewall-cmd --reload",
    },
    afterwards: [["firewall-cmd --state", /^running$/m]],
  },
];

describe("controller setup beside", { ...requires("root", "setup"), timeout: 7_200_000 }, () => {
  for (const row of rows) it(row.title, { timeout: 1_200_000 }, () => setUpAndUndo(row));
});

async function setUpAndUndo({ packages, files, prepare, has, refused, afterwards = [] }: Row): Promise<void> {
  const root = await provideDebianRoot([...needed, ...packages]);
  const installed = Object.entries(files).map(
    ([path, text]): InstalledFile => ({
      path,
      content: { text },
      mode: /NetworkManager|netplan/.test(path) ? 0o600 : 0o644,
    }),
  );
  const machine = await buildRebootingMachine({
    root,
    files: [{ path: "/etc/default/chrony", content: { text: 'DAEMON_OPTS="-x -F 0"\n' } }, ...installed],
  });
  // What a network manager writes there by itself is no part of a setup.
  const etc = (): Promise<string> => etcOf(machine, ["resolv.conf"]);
  const shell = (script: string): Promise<string> => machine.run("sh", "-c", script);
  const setup = async (...args: readonly string[]): Promise<{ code: number | undefined; text: string }> => {
    const [enter = "", ...words] = await machine.inside();
    const command = [...words, "controller", "setup", ...args];
    const { exitCode, all } = await execa(enter, command, { reject: false, all: true });
    return { code: exitCode, text: all };
  };
  const awaitOutput = async (script: string, output: RegExp, what: string): Promise<void> => {
    let last = "";
    const isSo = async (): Promise<boolean> => {
      last = await shell(script).catch(String);
      return output.test(last);
    };
    await until(isSo, () => `${what}: ${last}`, patience);
  };
  const hasUplink = async (): Promise<void> => {
    await awaitOutput("ip route", /^default via 192\.0\.2\.1 dev eth0/m, "no uplink");
    await awaitOutput("ping -c1 -W2 192.0.2.1", /1 received/, "the uplink leads nowhere");
  };
  const hasRack = async (): Promise<void> => {
    if (has !== undefined) await awaitOutput("ip address show dev eth1", has, "the manager does not have eth1");
  };
  try {
    await machine.powerOn();
    await plugIn(machine);
    if (prepare !== undefined) await shell(prepare);
    await hasUplink();
    await hasRack();
    if (refused !== undefined) {
      const before = await etc();
      const { code, text } = await setup("apply", ...choice, "--yes");
      assert.deepEqual([code, refused.message.test(text)], [1, true], text);
      assert.equal(await etc(), before);
      await shell(refused.remedy);
      await hasUplink();
    }
    const before = await etc();
    const { code, text } = await setup("apply", ...choice, "--yes");
    assert.equal(code, 0, text);
    await hasUplink();
    await assertServesRack(machine);

    await machine.powerOff();
    await machine.powerOn();
    await plugIn(machine);
    await hasUplink();
    await awaitOutput(
      "ip -brief -4 address",
      /^rack0@\S+ +UP +10\.77\.0\.1\/24 *$/m,
      "rack0 has not its address alone",
    );
    await awaitOutput("controller setup status && echo fine", /^fine$/m, "the setup is not as it was");
    await assertServesRack(machine);
    for (const [command, output] of afterwards) assert.match(await shell(command), output, command);

    const undone = await setup("undo", "--yes");
    assert.equal(undone.code, 0, undone.text);
    assert.equal(await etc(), before);
    await hasUplink();
    if (refused === undefined) await hasRack();
    assert.doesNotMatch(await shell("ip address; nft list tables"), /10\.77\.0\.1|rack0|pallet/);
  } finally {
    await machine.close();
  }
}
