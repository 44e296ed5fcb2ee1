import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Facts } from "../../../../controller/check/facts.ts";
import type { HeldPort } from "../../../../controller/check/held-port.ts";
import { selectProblems } from "../../../../controller/check/select-problems.ts";
import { goodFacts, someConfig } from "./some-facts.ts";

const { rootfs, initrd, interfaces } = goodFacts;
const [lo, eth0] = interfaces;
assert.ok(rootfs && initrd && lo && eth0);
const held = (protocol: "TCP" | "UDP", port: number, name?: string, unit?: string, address = "0.0.0.0"): HeldPort => ({
  protocol,
  address,
  port,
  ...(name !== undefined && { process: { pid: 7, name, ...(unit !== undefined && { unit }) } }),
});
const sizes = (...missing: readonly string[]) => ({
  sizes: new Map([...goodFacts.bootTree.sizes].filter(([path]) => !missing.includes(path))),
});
const built = {
  versions: { uBoot: "1", firmware: "1" },
  targets: [],
  files: { "start5.elf": { sha256: "0", sizeBytes: 3 } },
};

/**
 * What is changed on a machine where all is well; what is said of it, with its remedy; and whether serve ends for it.
 */
const rows: readonly [title: string, change: Partial<Facts>, expected: RegExp, fatal: boolean, config?: string][] = [
  [
    "a user who may not open low ports",
    { isRoot: false, capabilities: [] },
    /TFTP needs UDP port 69.*\n.*DHCP needs root.*\n.*NFS needs root.*run the controller as root/,
    true,
  ],
  [
    "a folder that the controller's user may not enter, a file that it may not read, and one that it may not write to",
    {
      isRoot: false,
      hasBroker: true,
      user: "pallet",
      inaccessible: [
        { path: "/srv", lacks: "enter" },
        { path: "/etc/pallet/profiles/web.yaml", lacks: "read" },
        { path: "/mnt/images", lacks: "write" },
      ],
    },
    /pallet, may not enter \/srv -> chmod a\+x \/srv\n.*may not read \/etc\/pallet\/profiles\/web\.yaml -> chgrp -R pallet.*\n.*may not write to \/mnt\/images -> chown -R pallet: \/mnt\/images$/,
    false,
  ],
  [
    "programs that are not installed",
    { missing: ["dnsmasq", "ganesha.nfsd", "/usr/lib/*/ganesha/libfsalvfs.so", "rpcbind", "/etc/services"] },
    /not installed: dnsmasq, .*apt-get install -y --no-install-recommends dnsmasq-base netbase nfs-ganesha nfs-ganesha-vfs rpcbind$/,
    true,
  ],
  [
    "Debian's own nfs-ganesha",
    {
      ports: [
        held("TCP", 2049, "ganesha.nfsd", "nfs-ganesha.service"),
        held("TCP", 20048, "ganesha.nfsd", "nfs-ganesha.service"),
      ],
    },
    /ganesha\.nfsd \(pid 7\) holds TCP port 2049 \(NFS\) and TCP port 20048 \(NFS mounts\).*-> systemctl disable --now nfs-ganesha$/,
    true,
  ],
  [
    "an nfs-ganesha without a unit",
    { ports: [held("TCP", 2049, "ganesha.nfsd")] },
    /systemctl disable --now nfs-ganesha$/,
    true,
  ],
  [
    "the kernel's NFS server",
    { ports: [held("TCP", 2049)] },
    /the kernel's NFS server \(nfsd\) holds TCP port 2049.*systemctl disable --now nfs-server$/,
    true,
  ],
  [
    "another TFTP server",
    { ports: [held("UDP", 69, "in.tftpd")] },
    /in\.tftpd \(pid 7\) holds UDP port 69 \(TFTP\).*systemctl disable --now tftpd-hpa$/,
    true,
  ],
  [
    "Debian's own dnsmasq",
    { ports: [held("UDP", 53, "dnsmasq", "dnsmasq.service")] },
    /holds UDP port 53 \(DNS\).*systemctl disable --now dnsmasq, or set dhcp\.dns/,
    true,
  ],
  [
    "another DHCP server",
    { ports: [held("UDP", 67, "dhcpd", "isc-dhcp-server.service")] },
    /holds UDP port 67 \(DHCP\).*systemctl disable --now isc-dhcp-server$/,
    true,
  ],
  [
    "a program that somebody started by hand",
    { ports: [held("TCP", 7701, "python3", "user@1000.service", "::")] },
    /python3 \(pid 7\) holds TCP port 7701 \(HTTP\) at ::.*kill 7, or set httpPort to another$/,
    true,
  ],
  [
    "an address that no interface has",
    { interfaces: [lo, eth0, { name: "eth1", isUp: true, hasCarrier: true, addresses: [] }] },
    /no interface of this machine has the address 10\.0\.0\.1 \(listen\).*ip addr add 10\.0\.0\.1\/24 dev eth1; permanently, with systemd-networkd/,
    false,
  ],
  [
    "an interface that is not there",
    { interfaces: [lo, eth0] },
    /has the address 10\.0\.0\.1.*\n.*there is no network interface eth1 \(dhcp\.interface\).*eth0$/,
    false,
  ],
  [
    "an interface that is down",
    {
      interfaces: [
        lo,
        eth0,
        { name: "eth1", isUp: false, hasCarrier: false, addresses: [{ address: "10.0.0.1", prefixLength: 24 }] },
      ],
    },
    /eth1 is down.*ip link set eth1 up$/,
    false,
  ],
  [
    "an interface without a link",
    {
      interfaces: [
        lo,
        eth0,
        { name: "eth1", isUp: true, hasCarrier: false, addresses: [{ address: "10.0.0.1", prefixLength: 24 }] },
      ],
    },
    /eth1 has no link.*cable/,
    false,
  ],
  [
    "another interface that has got an address in the rack's network",
    {
      interfaces: [
        lo,
        { ...eth0, addresses: [{ address: "10.0.0.33", prefixLength: 24 }] },
        { name: "eth1", isUp: true, hasCarrier: true, addresses: [{ address: "10.0.0.1", prefixLength: 24 }] },
      ],
    },
    /eth0 has 10\.0\.0\.33, in the network of eth1, 10\.0\.0\.0\/24.*setup apply --address/,
    false,
  ],
  [
    "the address on another interface",
    {
      interfaces: [
        lo,
        { ...eth0, addresses: [{ address: "10.0.0.1", prefixLength: 24 }] },
        { name: "eth1", isUp: true, hasCarrier: true, addresses: [] },
      ],
    },
    /eth1 has no IPv4 address.*10\.0\.0\.1 is on eth0: move it to eth1/,
    false,
  ],
  [
    "a controller that only itself reaches",
    {},
    /listen is 127\.0\.0\.1.*set listen/,
    false,
    "listen: 127.0.0.1\ndhcp: {mode: none}\nnfs: {mode: none}",
  ],
  [
    "a range outside of the network",
    {},
    /dhcp\.range: 10\.9\.0\.1 is not a host address.*\n.*10\.9\.0\.9/,
    true,
    "dhcp: {range: [10.9.0.1, 10.9.0.9]}",
  ],
  [
    "an empty boot tree",
    { bootTree: { sizes: new Map() }, kernel: { path: "agent/vmlinuz" } },
    /nothing has been built in \/var\/lib\/pallet\/boot yet.*controller boot-tree build/,
    false,
  ],
  [
    "a manifest that is none",
    { bootTree: { ...sizes(), manifest: "broken" } },
    /manifest\.json is not a manifest/,
    false,
  ],
  [
    "firmware that is missing",
    { bootTree: sizes("start4.elf", "fixup4.dat") },
    /firmware is missing from \S+: start4\.elf, fixup4\.dat.*controller boot-tree build/,
    false,
  ],
  [
    "firmware that was built and is gone",
    { bootTree: { ...sizes(), manifest: built } },
    /firmware is missing from \S+: start5\.elf/,
    false,
  ],
  [
    "a file that was cut off",
    { bootTree: { manifest: built, sizes: new Map([...goodFacts.bootTree.sizes, ["start5.elf", 2]]) } },
    /have changed in size since: start5\.elf.*--overwrite/,
    false,
  ],
  ["no U-Boot", { bootTree: sizes("u-boot.bin") }, /U-Boot is missing from \S+: u-boot\.bin/, false],
  [
    "no kernel",
    { kernel: { path: "agent/vmlinuz" } },
    /kernel is missing: \S+agent\/vmlinuz.*controller rootfs build, then controller boot-tree build/,
    false,
  ],
  ["a kernel that is none", { kernel: { path: "agent/vmlinuz", format: "other" } }, /is not an arm64 kernel/, false],
  [
    "a kernel that U-Boot does not unpack",
    { kernel: { path: "agent/vmlinuz", format: "zboot" } },
    /EFI zboot image/,
    false,
  ],
  [
    "no initrd",
    { initrd: { path: "agent/initrd.img", exists: false } },
    /initrd is missing: \S+agent\/initrd\.img/,
    false,
  ],
  [
    "an initrd of another kernel",
    { initrd: { ...initrd, releases: ["6.1.0-9-arm64"] } },
    /has modules for kernel 6\.1\.0-9-arm64, but \S+ is kernel 6\.1\.0-28-arm64/,
    false,
  ],
  [
    "no root filesystem",
    { rootfs: { ...rootfs, isFolder: false } },
    /there is no root filesystem at \/var\/lib\/pallet\/rootfs\/root \(nfs\.rootfs\).*controller rootfs build$/,
    false,
  ],
  ["a root filesystem without init", { rootfs: { ...rootfs, hasInit: false } }, /has no \/sbin\/init/, false],
  [
    "a root filesystem without an agent",
    { rootfs: { ...rootfs, hasAgent: false } },
    /has no agent.*controller rootfs bake \/var\/lib\/pallet\/rootfs\/root/,
    false,
  ],
  [
    "an agent of another contract",
    { rootfs: { ...rootfs, contract: "pallet-contract-2" } },
    /implements the contract pallet-contract-2; this controller implements pallet-contract-1.*controller rootfs build/,
    false,
  ],
  [
    "modules of another kernel",
    { rootfs: { ...rootfs, releases: ["6.1.0-9-arm64"] } },
    /has modules for kernel 6\.1\.0-9-arm64, but nodes are served kernel 6\.1\.0-28-arm64.*controller boot-tree build/,
    false,
  ],
  [
    "a Pi 5's initrd of another kernel",
    { pi5: { kernel: { ...goodFacts.kernel, path: "agent/backports/vmlinuz", release: "7.3.4" }, initrd } },
    /has modules for kernel 6\.1\.0-28-arm64, but \S+backports\/vmlinuz is kernel 7\.3\.4/,
    false,
  ],
  [
    "no modules for a Pi 5's kernel",
    { pi5: { kernel: { ...goodFacts.kernel, release: "7.3.4" }, initrd: { ...initrd, releases: ["7.3.4"] } } },
    /has no modules for kernel 7\.3\.4, which a Raspberry Pi 5 is served.*rootfs build --backports/,
    false,
  ],
  [
    "no modules",
    { rootfs: { ...rootfs, releases: [] } },
    /has no kernel modules; nodes run kernel 6\.1\.0-28-arm64/,
    false,
  ],
  [
    "no space for images",
    { freeBytes: 100 * 2 ** 20 },
    /\/var\/lib\/pallet\/images has 100 MiB free.*imageDirectory/,
    false,
  ],
  [
    "a hook that cannot do its work, which the rack boots without",
    { hooks: [{ hook: "drain", message: "its command /usr/local/bin/drain does not exist" }] },
    /^drain: its command \/usr\/local\/bin\/drain does not exist -> mend that file; .*delete it from hooks/,
    false,
  ],
];

describe("what would keep a node from booting", () => {
  for (const [title, change, expected, fatal, more] of rows) {
    it(`is ${title}, told with its remedy`, () => {
      const problems = selectProblems(someConfig(more), { ...goodFacts, ...change });
      assert.match(problems.map(({ message, remedy }) => `${message} -> ${remedy}`).join("\n"), expected);
      assert.deepEqual([...new Set(problems.map(({ isFatal }) => isFatal))], [fatal]);
    });
  }

  it("is nothing on a machine where all is well", () => assert.deepEqual(selectProblems(someConfig(), goodFacts), []));

  it("is no program that shares a port, or holds it where it is in nobody's way", () => {
    const ports = [
      held("UDP", 67, "dnsmasq"),
      held("UDP", 53, "systemd-resolve", undefined, "127.0.0.53"),
      held("TCP", 111, "rpcbind"),
    ];
    assert.deepEqual(selectProblems(someConfig(), { ...goodFacts, ports }), []);
  });

  it("is told all at once, the parts of a boot in their order", () => {
    const facts = {
      ...goodFacts,
      missing: ["dnsmasq"] as const,
      bootTree: sizes("start4.elf"),
      rootfs: { ...rootfs, hasInit: false },
      ports: [held("UDP", 69, "atftpd")],
    };
    const parts = selectProblems(someConfig(), facts).map(({ part }) => part);
    assert.deepEqual(parts, ["programs", "ports", "boot tree", "root filesystem"]);
  });
});
