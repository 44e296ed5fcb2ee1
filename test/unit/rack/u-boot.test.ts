// What the simulated Pi's U-Boot and kernel make of what they get.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CardPartition } from "../../rack/machine/card-partitions.ts";
import { isKernel } from "../../rack/machine/is-kernel.ts";
import { parsePxelinux } from "../../rack/machine/parse-pxelinux.ts";
import { parseRoot, selectRoot } from "../../rack/machine/select-root.ts";
import { configPaths } from "../../rack/machine/u-boot.ts";
import { fakeKernel } from "../../tiny-image.ts";

describe("the simulated U-Boot", () => {
  it("asks for its config as pxe_utils.c does", () => {
    const paths = configPaths("b8:27:eb:00:00:01", "10.77.0.11");
    assert.deepEqual(paths.slice(0, 3), [
      "pxelinux.cfg/01-b8-27-eb-00-00-01",
      "pxelinux.cfg/0A4D000B",
      "pxelinux.cfg/0A4D000",
    ]);
    assert.equal(paths.length, 1 + 8 + 4);
    assert.equal(paths.at(-1), "pxelinux.cfg/default");
  });

  it("attempts the default label first and then the others, silently", () => {
    const { attempts } = parsePxelinux("DEFAULT local\nLABEL agent\n KERNEL a\nLABEL local\n  kernel b\n  INITRD c\n");
    assert.deepEqual(
      attempts.map(({ name, kernel }) => [name, kernel]),
      [
        ["local", "b"],
        ["agent", "a"],
      ],
    );
    assert.equal(attempts[0]?.initrd, "c");
  });

  it("takes initrd= inside append for the initrd unless one is named", () => {
    const [label] = parsePxelinux("LABEL x\nLINUX k\nAPPEND root=/dev/nfs initrd=ramdisk quiet\n").attempts;
    assert.equal(label?.initrd, "ramdisk");
    assert.equal(label?.append, "root=/dev/nfs initrd=ramdisk quiet");
  });

  it("boots nothing that is no kernel", () => {
    assert.equal(isKernel(fakeKernel()), true);
    assert.equal(isKernel(Buffer.alloc(4096, 1)), false);
    assert.equal(isKernel(Buffer.alloc(3)), false);
  });
});

describe("the simulated kernel's root", () => {
  const partition = (number: number, partitionUuid: string, label: string): CardPartition => ({
    device: `/dev/loop0p${number}`,
    number,
    filesystemType: "ext4",
    label,
    uuid: `uuid-${number}`,
    partitionUuid,
  });
  const partitions = [partition(1, "cafe0000-01", "bootfs"), partition(2, "cafe0000-02", "rootfs")];

  it("is on the network unless the command line names the card", () => {
    assert.deepEqual(parseRoot("console=tty1 root=/dev/nfs nfsroot=10.77.0.1:/srv"), { kind: "network" });
    assert.deepEqual(parseRoot("quiet"), { kind: "network" });
    assert.deepEqual(parseRoot("root=PARTUUID=cafe0000-02 rootwait"), { kind: "card", word: "PARTUUID=cafe0000-02" });
  });

  for (const [word, number] of [
    ["PARTUUID=CAFE0000-02", 2],
    ["UUID=uuid-1", 1],
    ["LABEL=rootfs", 2],
    ["/dev/mmcblk0p2", 2],
    ["PARTUUID=cafe0000-03", undefined],
    ["LABEL=ROOTFS", undefined],
  ] as const) {
    it(`${word} is ${number === undefined ? "no partition" : `partition ${number}`}, to an initrd`, () => {
      assert.equal(selectRoot(word, partitions, true)?.number, number);
    });
  }

  for (const [word, number] of [
    ["PARTUUID=CAFE0000-02", 2],
    ["/dev/mmcblk0p2", 2],
    ["UUID=uuid-1", undefined],
    ["LABEL=rootfs", undefined],
    ["PARTUUID=00000000-03", 3],
  ] as const) {
    it(`${word} is ${number === undefined ? "no partition" : `partition ${number}`}, to a kernel alone`, () => {
      assert.equal(selectRoot(word, [...partitions, partition(3, "", "data")], false)?.number, number);
    });
  }
});
