import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfigFile } from "../../../../controller/config/parse-config-file.ts";
import { resolveConfig } from "../../../../controller/config/resolve-config.ts";
import { parseIpv4Network } from "../../../../controller/network/ipv4.ts";
import { type Content, digestOf } from "../../../../controller/setup/content.ts";
import type { Link, SetupFacts, UnitState } from "../../../../controller/setup/facts.ts";
import { planSetup } from "../../../../controller/setup/plan-setup.ts";
import { planUndo } from "../../../../controller/setup/plan-undo.ts";
import { packagedUnit, setupPaths } from "../../../../controller/setup/render-files.ts";
import type { SetupChoice } from "../../../../controller/setup/setup-choice.ts";
import { assertGolden } from "../../../golden.ts";
import { choice, freshMachine, idle, rack, running, uplink, withUnits } from "./a-machine.ts";

const fresh = freshMachine();
const withFile = (path: string, text: string): SetupFacts => ({ ...fresh, files: new Map([[path, text]]) });
const withRack = (different: Partial<typeof rack>): SetupFacts => ({
  ...fresh,
  links: fresh.links.map((link) => (link.name === "eth1" ? { ...link, ...different } : link)),
});
const network = (text: string) => parseIpv4Network(text) ?? { base: 0, prefixLength: 0 };
const held = (port: number, name: string, unit?: string, protocol: "TCP" | "UDP" = "UDP") => ({
  ...{ protocol, address: "0.0.0.0", port },
  process: { pid: 77, name, ...(unit !== undefined && { unit }) },
});

describe("a plan of a setup", () => {
  it("writes these files on a fresh machine", () => {
    const { conflicts, changes, stops } = planSetup(choice, fresh);
    assert.deepEqual([conflicts, stops], [[], []]);
    const files = changes.flatMap((change) => {
      if (change.kind === "remove") return [];
      const { content } = change;
      // The units, the user and the folders are files of their own in the tree.
      const text = content.kind === "link" ? `-> ${content.to}\n` : content.text;
      const isSource = /\/(pallet-(controller|broker)\.(service|socket)|(sysusers|tmpfiles)\.d\/pallet\.conf)$/.test(
        change.path,
      );
      return isSource && content.kind === "file" ? [] : [`=== ${change.path}\n${text}`];
    });
    assertGolden("setup/files", files.join("\n"));
  });

  it("takes the package's configuration, unit and program as they are, and gives its configuration back", () => {
    const { config } = setupPaths;
    const packaged: Content = { kind: "file", text: fresh.packagedConfig, mode: 0o644 };
    const service: UnitState = { ...idle, enablement: "disabled", file: packagedUnit };
    const facts: SetupFacts = {
      ...withUnits(fresh, { "pallet-controller.service": service }),
      contents: new Map([...fresh.contents, [config, packaged]]),
      hasProgram: false,
      isPackaged: true,
    };
    const { conflicts, changes, journal } = planSetup(choice, facts);
    assert.deepEqual(conflicts, []);
    const written = new Map(changes.flatMap((each) => (each.kind === "write" ? [[each.path, each.content]] : [])));
    assert.equal(written.has(setupPaths.unit), false);
    assert.deepEqual(written.get(setupPaths.unitWanted), { kind: "link", to: packagedUnit });
    const seeded = written.get(config);
    assert.ok(seeded?.kind === "file" && seeded.text.includes("listen: 10.77.0.1"));
    assert.ok(journal !== undefined);
    const applied = { ...facts, contents: new Map([...facts.contents, [config, seeded]]) };
    const noted = { ...journal, version: 1 as const };
    assert.deepEqual(
      planUndo(noted, applied, false).changes.find(({ path }) => path === config),
      { kind: "write", path: config, content: packaged, about: "as it was before" },
    );
    // Killed after that: it is done.
    assert.deepEqual(planUndo(noted, facts, false).kept, []);
  });

  it("gives up the unit of an earlier setup for that of the package", () => {
    const unit: Content = { kind: "file", text: "an earlier one", mode: 0o644 };
    const first = planSetup(choice, fresh).journal;
    assert.ok(first !== undefined);
    const facts: SetupFacts = {
      ...fresh,
      contents: new Map([...fresh.contents, [setupPaths.unit, unit]]),
      isPackaged: true,
      journal: { ...first, version: 1, files: [{ path: setupPaths.unit, digests: [digestOf(unit)] }] },
    };
    const { changes } = planSetup(choice, facts);
    assert.ok(changes.some(({ kind, path }) => kind === "remove" && path === setupPaths.unit));
  });

  it("brings the running machine to what it will be after its next start", () => {
    assert.deepEqual(planSetup(choice, fresh).actions, [
      { kind: "reload", what: "systemd" },
      { kind: "reload", what: "udev" },
      { kind: "rename", from: "eth1", to: "rack0", isUp: false },
      { kind: "start", unit: "systemd-networkd.service" },
      { kind: "forward", on: true },
      { kind: "restart", unit: "pallet-firewall.service" },
      { kind: "restart", unit: "chrony.service" },
      { kind: "user", exists: true },
      { kind: "folders", of: "pallet" },
      { kind: "start", unit: "pallet-broker.socket" },
      { kind: "start", unit: "pallet-controller.service" },
    ]);
  });

  it("gives a running controller, that was root, its user while it is stopped", () => {
    const before = withUnits(fresh, { "pallet-controller.service": running });
    // Its unit is one that a setup wrote.
    const own = { kind: "file", text: "an earlier unit", mode: 0o644 } as const;
    const journal = {
      ...{ version: 1 as const, phase: "applied" as const, choice: { address: "10.77.0.1", prefixLength: 24 } },
      rack: { mac: "02:00:00:00:00:11", name: "eth1", isUp: false, addresses: [] },
      files: [{ path: setupPaths.unit, digests: [digestOf(own)] }],
      folders: [],
      former: { forwards: false, active: [] },
    };
    const { actions, journal: noted } = planSetup(choice, {
      ...before,
      contents: new Map([...before.contents, [setupPaths.unit, own]]),
      journal,
    });
    const from = actions.findIndex(({ kind }) => kind === "user");
    assert.deepEqual(actions.slice(from), [
      { kind: "user", exists: true },
      { kind: "stop", unit: "pallet-controller.service" },
      { kind: "folders", of: "pallet" },
      { kind: "start", unit: "pallet-broker.socket" },
      { kind: "start", unit: "pallet-controller.service" },
    ]);
    assert.equal(noted?.former.user, false);
  });

  it("removes the user only where it made him", () => {
    const planFor = (user: boolean | undefined): readonly string[] => {
      const journal = {
        ...{ version: 1 as const, phase: "applied" as const, choice: { address: "10.77.0.1", prefixLength: 24 } },
        rack: { mac: "02:00:00:00:00:11", name: "eth1", isUp: false, addresses: [] },
        files: [{ path: setupPaths.user, digests: ["0"] }],
        folders: [],
        former: { forwards: false, active: [], ...(user !== undefined && { user }) },
      };
      return planUndo(journal, { ...fresh, hasUser: true }, false).stops.map(({ kind }) => kind);
    };
    assert.deepEqual([planFor(false), planFor(true), planFor(undefined)], [["folders", "user"], [], []]);
  });

  for (const [address, domains] of [
    ["10.77.0.1/24", "~rack.internal ~0.77.10.in-addr.arpa"],
    ["172.30.0.1/16", "~rack.internal ~30.172.in-addr.arpa"],
    ["10.0.0.1/20", "~rack.internal"],
  ] as const) {
    it(`has systemd-resolved ask the controller for the rack's names, and for no others, at ${address}`, () => {
      const [own = ""] = address.split("/");
      const { changes } = planSetup({ ...choice, address: own, network: network(address) }, fresh);
      const file = changes.find(({ path }) => path.endsWith(".network"));
      const text = file?.kind === "write" && file.content.kind === "file" ? file.content.text : "";
      assert.ok(text.endsWith(`\nDNS=${own}\nDomains=${domains}\nDNSDefaultRoute=no\n`), text);
    });
  }

  it("leaves systemd-resolved alone where the controller answers for no names", () => {
    const text = "listen: 10.77.0.1\ndhcp: {mode: server, interface: rack0, domain: rack.internal, dnsUpstream: []}\n";
    const result = resolveConfig([parseConfigFile(text, "/etc/pallet/pallet.yaml")]);
    assert.ok(result.ok);
    const { changes, notes } = planSetup(choice, { ...fresh, config: result.config });
    assert.ok(!JSON.stringify([changes, notes]).includes("DNSDefaultRoute"));
  });

  it("says that a machine without systemd-resolved does not find nodes by name", () => {
    const says = (facts: SetupFacts): boolean =>
      planSetup(choice, facts).notes.some((note) => /NODE\.rack\.internal/.test(note));
    assert.equal(says(fresh), true);
    assert.equal(says(withUnits(fresh, { "systemd-resolved.service": running })), false);
  });

  it("neither forwards nor masquerades without an uplink", () => {
    const { uplink: _, ...alone } = choice;
    const { changes, actions } = planSetup(alone, fresh);
    assert.ok(!actions.some(({ kind }) => kind === "forward"));
    const texts = changes.map((change) =>
      change.kind === "write" && change.content.kind === "file" ? change.content.text : "",
    );
    assert.ok(!texts.some((text) => /masquerade|ip_forward/.test(text)));
  });

  it("puts Debian's own services out of the way, with what starts them, and leaves alone those that are off", () => {
    const facts = withUnits(fresh, {
      "dnsmasq.service": running,
      "nfs-ganesha.service": running,
      "tftpd-hpa.service": idle,
    });
    const { conflicts, stops, changes } = planSetup(choice, {
      ...facts,
      ports: [held(67, "dnsmasq", "dnsmasq.service"), held(2049, "ganesha.nfsd", "nfs-ganesha.service", "TCP")],
    });
    assert.deepEqual(conflicts, []);
    assert.deepEqual(stops, [
      { kind: "stop", unit: "dnsmasq.service" },
      { kind: "stop", unit: "nfs-ganesha.service" },
    ]);
    const masks = changes.flatMap((change) =>
      change.kind === "write" && change.content.kind === "link" && change.content.to === "/dev/null"
        ? [change.path]
        : [],
    );
    assert.deepEqual(masks, ["/etc/systemd/system/dnsmasq.service", "/etc/systemd/system/nfs-ganesha.service"]);
  });

  it("tells NetworkManager to leave the rack's interface alone, where it is there", () => {
    const path = "/etc/NetworkManager/conf.d/pallet.conf";
    const change = planSetup(choice, withUnits(fresh, { "NetworkManager.service": running })).changes.find(
      (each) => each.path === path,
    );
    assert.ok(change?.kind === "write" && change.content.kind === "file");
    assert.match(change.content.text, /^unmanaged-devices\+=mac:02:00:00:00:00:11;interface-name:rack0$/m);
    assert.ok(!planSetup(choice, fresh).changes.some((each) => each.path === path));
  });

  const conflicts: readonly (readonly [string, SetupFacts, RegExp, RegExp, SetupChoice?])[] = [
    ["no root", { ...fresh, isRoot: false }, /only root/, /as root/],
    [
      "a missing program",
      { ...fresh, missing: ["nft"] },
      /lacks nft/,
      /--install-?.*nftables|--no-install-recommends nftables/,
    ],
    [
      "a read-only /etc",
      { ...fresh, unwritable: [{ folder: "/etc", reason: "its filesystem is read-only" }] },
      /\/etc cannot be written to: its filesystem is read-only/,
      /./,
    ],
    ["a wrong interface", fresh, /no network interface eth7 \(--rack\)/, /eth0 .*eth1/, { ...choice, rack: "eth7" }],
    [
      "an uplink that is not there",
      fresh,
      /no network interface ppp0 \(--uplink\)/,
      /--uplink none/,
      { ...choice, uplink: "ppp0" },
    ],
    [
      "the interface of the default route",
      fresh,
      /eth0 is the way to this machine's own default route/,
      /eth1/,
      { rack: "eth0", address: choice.address, network: choice.network },
    ],
    ["no Ethernet", withRack({ type: "loopback" }), /eth1 is no Ethernet/, /eth0/],
    ["Wi-Fi", withRack({ isWireless: true }), /wireless/, /eth0/],
    ["a VLAN", withRack({ kind: "vlan" }), /eth1 is a vlan/, /eth0/],
    ["a port of a bridge", withRack({ controller: "br0" }), /a port of br0/, /nomaster/],
    [
      "a range in use on the uplink",
      fresh,
      /192\.0\.2\.0\/25 is in use on eth0, which has 192\.0\.2\.2\/24/,
      /--address/,
      { ...choice, address: "192.0.2.1", network: network("192.0.2.0/25") },
    ],
    [
      "a range behind a router",
      { ...fresh, routes: [...fresh.routes, { network: "10.64.0.0/10", device: "wg0" }] },
      /a route to 10\.64\.0\.0\/10 goes by wg0/,
      /--address/,
    ],
    ["a range of two addresses", fresh, /leaves no addresses/, /\/24/, { ...choice, network: network("10.77.0.0/30") }],
    [
      "a port",
      { ...fresh, ports: [held(69, "in.tftpd", "my-tftp.service")] },
      /in\.tftpd \(pid 77\) holds UDP port 69 \(TFTP\)/,
      /disable --now my-tftp/,
    ],
    [
      "exports of the kernel's NFS server",
      { ...withUnits(withFile("/etc/exports", "# none\n/srv 192.0.2.0/24(ro)\n"), { "nfs-server.service": running }) },
      /nfs-server\.service is in use here, by \/etc\/exports/,
      /disable --now/,
    ],
    [
      "settings of Debian's dnsmasq",
      { ...withUnits(withFile("/etc/dnsmasq.d/home.conf", "interface=eth0\n"), { "dnsmasq.service": running }) },
      /dnsmasq\.service is in use here, by \/etc\/dnsmasq\.d\/home\.conf/,
      /disable/,
    ],
    [
      "another DHCP server",
      { ...fresh, otherDhcp: { servers: ["192.168.0.1"] } },
      /another DHCP server answers on eth1: 192\.168\.0\.1/,
      /proxy/,
    ],
    [
      "ifupdown",
      withFile("/etc/network/interfaces", "auto lo eth1\niface lo inet loopback\n"),
      /ifupdown configures eth1 by \/etc\/network\/interfaces/,
      /take eth1 out/,
    ],
    [
      "netplan",
      withFile("/etc/netplan/50.yaml", "network: {ethernets: {lan: {match: {macaddress: '02:00:00:00:00:11'}}}}\n"),
      /netplan configures eth1/,
      /take eth1 out/,
    ],
    [
      "a profile of NetworkManager",
      withFile("/etc/NetworkManager/system-connections/a.nmconnection", "[connection]\ninterface-name=eth1\n"),
      /NetworkManager configures eth1/,
      /take eth1 out/,
    ],
    [
      "a file of systemd-networkd",
      {
        ...withUnits(withFile("/etc/systemd/network/20-lan.network", "[Match]\nName=eth1\n"), {
          "systemd-networkd.service": running,
        }),
      },
      /systemd-networkd configures eth1 by \/etc\/systemd\/network\/20-lan\.network/,
      /take eth1 out/,
    ],
    [
      "a file of systemd-networkd for many interfaces, which comes before that of a setup",
      {
        ...withUnits(withFile("/etc/systemd/network/.00-all.network", "[Match]\nName=eth*\n"), {
          "systemd-networkd.service": running,
        }),
      },
      /systemd-networkd configures eth1 by \/etc\/systemd\/network\/\.00-all\.network/,
      /take eth1 out/,
    ],
    [
      "a name that somebody gave it",
      withFile("/etc/systemd/network/10-lan.link", "[Match]\nMACAddress=02:00:00:00:00:11\n[Link]\nName=lan0\n"),
      /udev names eth1 by \/etc\/systemd\/network\/10-lan\.link/,
      /take eth1 out/,
    ],
    [
      "two adapters with one MAC address",
      { ...fresh, links: [...fresh.links, { ...uplink, name: "eth2", mac: "02:00:00:00:00:11", addresses: [] }] },
      /eth1 and eth2 have the same MAC address, 02:00:00:00:00:11/,
      /give eth2 another/,
    ],
    [
      "the interface of the default route of IPv6",
      { ...fresh, routes: [...fresh.routes, { network: "::/0", device: "eth1" }] },
      /eth1 is the way to this machine's own default route/,
      /eth0/,
    ],
    [
      "an SSH login by the rack, over IPv6",
      { ...withRack({ ipv6Addresses: ["fe80::1"] }), loginAddress: "fe80::1" },
      /logged in over SSH at fe80::1/,
      /eth0/,
    ],
    [
      "the state of a newer version",
      { ...fresh, state: { schema: 99, known: 12 } },
      /written by a newer version of Pallet \(schema 99, this one knows 12\)/,
      /use that version/,
    ],
    [
      "a sleeping systemd-networkd with files",
      withFile("/etc/systemd/network/80-old.network", "[Match]\nName=en*\n"),
      /does not run here, but would act by \/etc\/systemd\/network\/80-old\.network/,
      /systemctl start/,
    ],
    ["dhcpcd", withUnits(fresh, { "dhcpcd.service": running }), /dhcpcd runs/, /denyinterfaces eth1 rack0/],
    ["connman", withUnits(fresh, { "connman.service": running }), /connman runs/, /another network manager/],
    [
      "a file that forbids forwarding",
      withFile("/etc/sysctl.d/10-hard.conf", "net.ipv4.ip_forward=0\n"),
      /10-hard\.conf says that this machine does not forward/,
      /--uplink none/,
    ],
    [
      "a firewall that drops",
      {
        ...withUnits(fresh, { "ufw.service": running }),
        droppingChains: [{ table: "ip filter", chain: "INPUT", hook: "input" }],
      },
      /INPUT of the nftables table ip filter drops/,
      /ufw allow in on rack0 && ufw route/,
    ],
    [
      "an SSH login by the rack",
      { ...withRack({ addresses: ["10.0.0.1/24"] }), loginAddress: "10.0.0.1" },
      /logged in over SSH at 10\.0\.0\.1/,
      /eth0/,
    ],
    [
      "a masked networkd",
      withUnits(fresh, { "systemd-networkd.service": { ...idle, enablement: "masked" } }),
      /is masked/,
      /unmask/,
    ],
    ["no program", { ...fresh, hasProgram: false }, /no \/usr\/local\/bin\/controller/, /install -m 755/],
    [
      "a config that cannot be read",
      { ...fresh, config: "/etc/pallet/pallet.yaml line 2: there is no key x" },
      /cannot be used: .*line 2/,
      /mend/,
    ],
    [
      "another rack0",
      { ...fresh, links: [...fresh.links, { ...uplink, name: "rack0", mac: "02:00:00:00:00:12", addresses: [] }] },
      /another interface is called rack0/,
      /name/,
    ],
    [
      "a file of somebody else",
      {
        ...fresh,
        contents: new Map([
          ...fresh.contents,
          ["/etc/sysctl.d/99-zz-pallet.conf", { kind: "file", text: "mine\n", mode: 0o644 }],
        ]),
      },
      /99-zz-pallet\.conf is not as a setup wrote it/,
      /never overwritten/,
    ],
  ];
  for (const [title, facts, message, remedy, chosen = choice] of conflicts)
    it(`finds before any change, with its remedy: ${title}`, () => {
      const found = planSetup(chosen, facts).conflicts;
      const of = found.find((each) => message.test(each.message));
      assert.ok(of, JSON.stringify(found));
      assert.match(of.remedy, remedy);
      assert.deepEqual(
        found.filter((each) => each !== of),
        [],
        "nothing else is in the way",
      );
    });

  it("says which files of others, for many interfaces, give way to its own", () => {
    const file = "/etc/systemd/network/20-wired.network";
    const facts = withUnits(withFile(file, "[Match]\nName=en* eth*\n"), { "systemd-networkd.service": running });
    const { conflicts: found, notes } = planSetup(choice, facts);
    assert.deepEqual(found, []);
    assert.ok(
      notes.some((note) => note.startsWith(`${file} would have eth1, too`)),
      notes.join("\n"),
    );
  });

  it("says that an uplink of IPv6 alone leads nodes nowhere", () => {
    const routes = [{ network: "::/0", device: "eth0" }];
    assert.ok(planSetup(choice, { ...fresh, routes }).notes.some((note) => /IPv6 alone/.test(note)));
  });

  it("takes what lies on an adapter, and has its MAC address, for no second adapter", () => {
    const links = [
      ...fresh.links,
      { ...uplink, name: "eth1.5", kind: "vlan", mac: "02:00:00:00:00:11", addresses: [] },
    ];
    assert.deepEqual(planSetup(choice, { ...fresh, links }).conflicts, []);
  });

  it("is not in the way of files of others that do not touch the rack's interface", () => {
    const facts = withUnits(
      {
        ...fresh,
        files: new Map([
          ["/etc/network/interfaces", "auto lo eth0\niface eth0 inet dhcp\n"],
          ["/etc/netplan/50.yaml", "network: {ethernets: {eth0: {dhcp4: true}}}\n"],
          ["/etc/NetworkManager/system-connections/a", "[connection]\ninterface-name=eth0\n"],
          ["/etc/exports", "# nothing\n"],
          ["/etc/dnsmasq.d/README", "Files here are read\n"],
        ]),
      },
      { "networking.service": running, "dnsmasq.service": running },
    );
    const { conflicts: found, notes } = planSetup(choice, facts);
    assert.deepEqual(found, []);
    assert.ok(notes.includes("ifupdown keeps the other interfaces; systemd-networkd keeps rack0 alone"));
  });

  it("has the kernel's NFS server, where that is configured, answer at the port that nodes may ask", () => {
    const text = "listen: 10.77.0.1\ndhcp: {mode: server, interface: rack0}\nnfs: {mode: kernel}\n";
    const result = resolveConfig([parseConfigFile(text, "/etc/pallet/pallet.yaml")]);
    assert.ok(result.ok);
    const contents = new Map(fresh.contents).set("/etc/pallet/pallet.yaml", { kind: "file", text, mode: 0o644 });
    const { changes, actions, conflicts: found } = planSetup(choice, { ...fresh, contents, config: result.config });
    assert.deepEqual(found, []);
    const file = changes.find(({ path }) => path === "/etc/nfs.conf.d/pallet.conf");
    assert.ok(file?.kind === "write" && file.content.kind === "file");
    assert.match(file.content.text, /^\[mountd\]\nport=20048$/m);
    assert.ok(actions.some((action) => action.kind === "restart" && action.unit === "nfs-server.service"));
  });

  it("takes its address from this machine only while no rollout runs, and says what becomes of nodes", () => {
    const { journal } = planSetup(choice, fresh);
    assert.ok(journal);
    const applied: SetupFacts = { ...fresh, journal: { version: 1, ...journal, phase: "applied" } };
    const elsewhere = { ...choice, address: "10.78.0.1", network: network("10.78.0.0/24") };
    const during: SetupFacts = { ...applied, rollouts: { running: ["r-1", "r-2"] } };
    const { conflicts: found } = planSetup(elsewhere, during);
    assert.match(
      found.map(({ message }) => message).join("\n"),
      /^rollouts r-1, r-2 run, and the nodes know .* 10\.77\.0\.1/,
    );
    assert.deepEqual(
      found.map(({ remedy }) => remedy),
      ["wait for the end, or: controller rollout cancel r-1"],
    );
    assert.deepEqual(planSetup(choice, during).conflicts, [], "the same address");
    const { uplink: _, ...alone } = choice;
    assert.deepEqual(planSetup(alone, during).conflicts, [], "another uplink");
    const after = planSetup(elsewhere, { ...applied, rollouts: { running: [] } });
    assert.deepEqual(after.conflicts, []);
    assert.ok(after.notes.some((note) => /nodes that run now lose this machine.*10\.77\.0\.1/.test(note)));
  });

  it("speaks of a missing cable only where the interface is up, without which nobody can tell", () => {
    const isTold = (state: Pick<Link, "isUp" | "hasCarrier">): boolean =>
      planSetup(choice, { ...fresh, links: [uplink, { ...rack, ...state }] }).notes.some((note) =>
        /no link/.test(note),
      );
    assert.equal(isTold({ isUp: false, hasCarrier: false }), false);
    assert.equal(isTold({ isUp: true, hasCarrier: false }), true);
    assert.equal(isTold({ isUp: true, hasCarrier: true }), false);
  });

  it("says which lines of a given configuration have to change", () => {
    const given = (text: string): SetupFacts => {
      const result = resolveConfig([parseConfigFile(text, "/etc/pallet/pallet.yaml")]);
      assert.ok(result.ok);
      const contents = new Map(fresh.contents).set("/etc/pallet/pallet.yaml", { kind: "file", text, mode: 0o644 });
      return { ...fresh, contents, config: result.config };
    };
    const yaml = (listen: string, device: string): string =>
      `listen: ${listen}\ndhcp: {mode: server, interface: ${device}}\nnfs: {mode: ganesha}\n`;
    const wrong = planSetup(choice, given(yaml("10.0.0.1", "eth1"))).conflicts.map(({ remedy }) => remedy);
    assert.deepEqual(wrong, ["set listen to 10.77.0.1, or give --address", "set dhcp.interface to rack0"]);
    const right = planSetup(choice, given(yaml("10.77.0.1", "rack0")));
    assert.deepEqual(right.conflicts, []);
    assert.ok(!right.changes.some(({ path }) => path === "/etc/pallet/pallet.yaml"), "it stays as it is");
  });
});
