import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { detectKernelFormat, parseInitrdReleases } from "../../../../controller/artefacts/parse-kernel.ts";
import { parseInterfaces } from "../../../../controller/check/parse-interfaces.ts";
import { parseSockets, parseUnit, parseUnixSocket } from "../../../../controller/network/parse-sockets.ts";
import { parseKernelRelease } from "../../../../proto/system/parse-kernel-release.ts";

describe("sockets", () => {
  it("of TCP that listen are read, with their addresses", () => {
    const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    const rest = "00000000:00000000 00:00000000 00000000     0        0";
    const text = `${head}   0: 0100000A:0801 00000000:0000 0A ${rest} 4711 1\n   1: 0100000A:0801 0200000A:9999 01 ${rest} 4712 1\n`;
    assert.deepEqual(parseSockets(text, "TCP"), [{ protocol: "TCP", address: "10.0.0.1", port: 2049, inode: 4711 }]);
    const six = (address: string) =>
      parseSockets(`  0: ${address}:0045 ${"0".repeat(32)}:0000 07 ${rest} 9 2\n`, "UDP")[0]?.address;
    assert.equal(six("0".repeat(32)), "::");
    assert.equal(six("0000000000000000FFFF00000100000A"), "10.0.0.1");
    assert.equal(six("B80D01200000000000000000010000 00".replace(" ", "")), "2001:db8::1");
  });

  it("of the unix kind are found by the path that they listen at", () => {
    const text =
      "Num       RefCount Protocol Flags    Type St Inode Path\n" +
      "0000000000000000: 00000003 00000000 00000000 0001 03 21 /run/c.sock\n" +
      "0000000000000000: 00000002 00000000 00010000 0001 01 22 /run/c.sock\n";
    assert.equal(parseUnixSocket(text, "/run/c.sock"), 22);
    assert.equal(parseUnixSocket(text, "/run/d.sock"), undefined);
  });

  it("belong to units, of either version of cgroups", () => {
    assert.equal(parseUnit("0::/system.slice/nfs-ganesha.service\n"), "nfs-ganesha.service");
    assert.equal(parseUnit("12:pids:/x\n1:name=systemd:/system.slice/dnsmasq.service\n"), "dnsmasq.service");
    assert.equal(parseUnit("0::/user.slice/user-0.slice/session-1.scope\n"), undefined);
    assert.equal(parseUnit(""), undefined);
  });
});

describe("kernels", () => {
  it("are told apart by their headers", () => {
    const image = Buffer.alloc(64);
    image.write("ARM\x64", 56, "latin1");
    assert.equal(detectKernelFormat(image), "image");
    assert.equal(detectKernelFormat(Buffer.from(`MZ\0\0zimg${"\0".repeat(60)}`, "latin1")), "zboot");
    assert.equal(detectKernelFormat(Buffer.from("x")), "other");
    assert.equal(detectKernelFormat(Buffer.alloc(0)), "other");
  });

  it("say their release in their banner, not in the words before it", () => {
    const text = "\0Linux version %s (%s)\0Linux version 6.1.0-28-arm64 (debian-kernel@lists.debian.org) (gcc\0";
    assert.equal(parseKernelRelease(Buffer.from(text)), "6.1.0-28-arm64");
    assert.equal(parseKernelRelease(Buffer.from("no kernel")), undefined);
  });

  it("have their modules in an initrd's archive", () => {
    const archive = Buffer.from(
      "070701…lib/modules\0…lib/modules/6.1.0-28-arm64\0…lib/modules/6.1.0-28-arm64/kernel/a.ko\0",
    );
    assert.deepEqual(parseInitrdReleases(archive), ["6.1.0-28-arm64"]);
    assert.deepEqual(parseInitrdReleases(Buffer.from("070701…bin/busybox\0")), []);
    assert.equal(parseInitrdReleases(Buffer.from("\x1f\x8b…")), undefined);
  });
});

describe("interfaces", () => {
  it("are read with their state, those without a link too", () => {
    const text = JSON.stringify([
      {
        ifindex: 3,
        ifname: "eth1",
        flags: ["NO-CARRIER", "BROADCAST", "UP"],
        operstate: "DOWN",
        addr_info: [{ family: "inet", local: "10.0.0.1", prefixlen: 24 }, {}],
      },
      { ifindex: 4, ifname: "eth2", flags: ["BROADCAST"], operstate: "DOWN", addr_info: [] },
    ]);
    assert.deepEqual(parseInterfaces(text), [
      { name: "eth1", isUp: true, hasCarrier: false, addresses: [{ address: "10.0.0.1", prefixLength: 24 }] },
      { name: "eth2", isUp: false, hasCarrier: false, addresses: [] },
    ]);
    assert.throws(() => parseInterfaces("{}"));
  });
});
