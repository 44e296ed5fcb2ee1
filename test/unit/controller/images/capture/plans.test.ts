import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCaptureSource } from "../../../../../controller/cli/commands/parse-capture-source.ts";
import { followParts } from "../../../../../controller/images/capture/follow-parts.ts";
import { endOfTable, placesToProbe, planReading } from "../../../../../controller/images/capture/plan-capture.ts";
import {
  firmwareNameOf,
  type OwnThings,
  planRemovals,
  withoutHostName,
} from "../../../../../controller/images/capture/plan-removals.ts";
import { selectCard } from "../../../../../controller/images/capture/select-card.ts";
import { parseBlockRuns, parseFolderEntries } from "../../../../../controller/images/filesystems/parse-debugfs.ts";
import { intersect } from "../../../../../controller/images/map/extents.ts";
import { Failure } from "../../../../../proto/failure.ts";
import { aDevice } from "../../../proto/disk/a-device.ts";

const MiB = 1024 * 1024;

describe("what --from names", () => {
  for (const [text, node, disk] of [
    ["pi-7", "pi-7", ""],
    ["pi-7:/dev/mmcblk0", "pi-7", "/dev/mmcblk0"],
    ["b8:27:eb:00:00:01", "b8:27:eb:00:00:01", ""],
    ["b8:27:eb:00:00:01:/dev/sda", "b8:27:eb:00:00:01", "/dev/sda"],
  ] as const)
    it(`of ${text} is a node${disk === "" ? "" : " and its disk"}`, () =>
      assert.deepEqual(parseCaptureSource(text), { node, disk }));
  for (const text of ["", ":/dev/sda", "pi-7:/", "pi-7:/srv/disk"])
    it(`is refused in "${text}"`, () => assert.throws(() => parseCaptureSource(text), /is not NODE or NODE:DISK/));
});

describe("the end of an image of a disk", () => {
  const entry = { number: 1, offsetBytes: MiB, lengthBytes: MiB, type: "83", partitionUuid: "" };
  const record = (type: number, start: number, sectors: number): Buffer => {
    const sector = Buffer.alloc(512);
    sector.writeUInt8(type, 446 + 16 + 4);
    sector.writeUInt32LE(start, 446 + 16 + 8);
    sector.writeUInt32LE(sectors, 446 + 16 + 12);
    return sector;
  };
  it("is behind the last partition", () =>
    assert.equal(endOfTable({ kind: "mbr", entries: [entry] }, Buffer.alloc(512)), 2 * MiB));
  it("is behind an extended partition, which its table must hold", () =>
    assert.equal(endOfTable({ kind: "mbr", entries: [entry] }, record(5, 4096, 4096)), 4 * MiB));
  it("takes no slot that is unused for one", () =>
    assert.equal(endOfTable({ kind: "mbr", entries: [entry] }, record(0, 4096, 4096)), 2 * MiB));
  it("does not reach to what guards a GPT", () =>
    assert.equal(endOfTable({ kind: "gpt", entries: [entry] }, record(0xee, 1, 2 ** 31)), 2 * MiB));
});

describe("what is read of a disk", () => {
  it("is everything but what is left out", () =>
    assert.deepEqual(planReading(100, [{ start: 10, end: 20 }]), [
      { start: 0, end: 10 },
      { start: 20, end: 100 },
    ]));
  it("is both ends of a partition, to know what is in it, and all of a small one", () => {
    assert.deepEqual(placesToProbe([{ offsetBytes: MiB, lengthBytes: 8 * MiB }]), [
      { start: MiB, end: 3 * MiB },
      { start: 8 * MiB, end: 9 * MiB },
    ]);
    assert.deepEqual(placesToProbe([{ offsetBytes: MiB, lengthBytes: MiB }]), [{ start: MiB, end: 2 * MiB }]);
  });
  it("is in both of two lists where they have it in common", () =>
    assert.deepEqual(intersect([{ start: 0, end: 10 }], [{ start: 5, end: 20 }]), [{ start: 5, end: 10 }]));
});

describe("the pieces that a node sends", () => {
  const wanted = [
    { start: 0, end: 1024 },
    { start: 4096, end: 4608 },
  ];
  const follow = (...pieces: readonly (readonly [number, number])[]) => {
    const follower = followParts(wanted);
    for (const [offsetBytes, lengthBytes] of pieces) follower.take({ offsetBytes, lengthBytes });
    follower.end();
  };
  it("are taken in their order, however they are cut", () => {
    follow([0, 1024], [4096, 512]);
    follow([0, 512], [512, 512], [4096, 512]);
  });
  for (const [what, pieces] of [
    ["one is missing at the end", [[0, 1024]]],
    ["one is missing at the beginning", [[4096, 512]]],
    [
      "one comes twice",
      [
        [0, 512],
        [0, 512],
        [4096, 512],
      ],
    ],
    ["one is too long", [[0, 2048]]],
    ["one is empty", [[0, 0]]],
    ["one is no whole sectors", [[0, 100]]],
    ["one is of another place", [[8192, 512]]],
    [
      "more come than were asked for",
      [
        [0, 1024],
        [4096, 512],
        [4608, 512],
      ],
    ],
  ] as const)
    it(`are refused when ${what}`, () => assert.throws(() => follow(...pieces), /something else of its disk/));
});

describe("what is removed from the copy of a card", () => {
  const found: OwnThings = {
    palletFiles: ["/etc/pallet/identity/agent.pem", "/etc/pallet/installed.json"],
    palletFolders: ["/etc/pallet/identity", "/etc/pallet"],
    files: ["/etc/ssh/ssh_host_rsa_key", "/etc/hostname"],
    machineId: "0123\n",
    hostName: "pi-7\n",
    hosts: "127.0.0.1 localhost\n127.0.1.1 pi-7\n",
    inittab: "::sysinit:/etc/rcS\n::respawn:/usr/lib/pallet/agent --role resident\n",
  };
  it("is Pallet's folder, always", () => {
    const { files, folders, rewritten, told } = planRemovals(found, false);
    assert.deepEqual([files, folders, rewritten], [found.palletFiles, found.palletFolders, []]);
    assert.deepEqual(told, ["/etc/pallet (Pallet's key, stamp and settings)"]);
  });
  it("is what is one node's as well, to generalise", () => {
    const { files, rewritten } = planRemovals(found, true);
    assert.deepEqual(files, [...found.palletFiles, ...found.files]);
    assert.deepEqual(rewritten, [
      { path: "/etc/machine-id", text: "", mode: 0o444 },
      { path: "/etc/hosts", text: "127.0.0.1 localhost\n", mode: 0o644 },
      { path: "/etc/inittab", text: "::sysinit:/etc/rcS\n", mode: 0o644 },
    ]);
  });
  it("is nothing where nothing is left of it", () => {
    const done: OwnThings = {
      palletFiles: [],
      palletFolders: [],
      files: [],
      machineId: "",
      hosts: "127.0.0.1 localhost\n",
    };
    for (const generalise of [false, true])
      assert.deepEqual(planRemovals(done, generalise), { files: [], folders: [], rewritten: [], told: [] });
  });

  for (const [hosts, name, expected] of [
    ["127.0.1.1\tpi-7\n", "pi-7\n", ""],
    ["127.0.1.1 pi-7.rack.example pi-7 # own\n", "pi-7", ""],
    ["127.0.1.1 pi-7 web\n", "# a comment\npi-7\n", "127.0.1.1 web\n"],
    ["127.0.1.1 pi-7 web # both\n", "pi-7.rack\n", "127.0.1.1 web # both\n"],
    ["10.0.0.7 pi-7\n127.0.1.1 other\n", "pi-7", "10.0.0.7 pi-7\n127.0.1.1 other\n"],
    ["127.0.1.1 localhost\n", "localhost", "127.0.1.1 localhost\n"],
    ["127.0.1.1 pi-7\n", "", "127.0.1.1 pi-7\n"],
  ] as const)
    it(`leaves "${expected.trim()}" of the hosts "${hosts.trim()}" of ${name.trim() || "nobody"}`, () =>
      assert.equal(withoutHostName(hosts, name), expected));

  for (const [name, original] of [
    ["bootcode.off", "bootcode.bin"],
    ["START4X.OFF", "start4x.elf"],
    ["config.off", "config.txt"],
    ["recovery.off", "recovery.elf"],
    ["notes.off", undefined],
    ["start4.elf", undefined],
  ] as const)
    it(`names ${name} ${original ?? "as it is"}`, () => assert.equal(firmwareNameOf(name), original));
});

describe("what debugfs lists", () => {
  it("are all entries of a folder, and nothing where a name fits no line", () => {
    const listing =
      "/2/040755/0/0/./1024/\n/2/040755/0/0/../1024/\n/13/100600/0/0/.agent.pem.pallet-new/9/\n/14/040700/0/0/identity//\n/15/120777/0/0/link/7/\n/0/000000/0/0/gone//\n";
    assert.deepEqual(parseFolderEntries(listing), [
      { name: ".agent.pem.pallet-new", kind: "file" },
      { name: "identity", kind: "folder" },
      { name: "link", kind: "link" },
    ]);
    assert.equal(parseFolderEntries("/13/100600/0/0/one\ntwo/9/\n"), undefined);
  });
  it("are the blocks of a file, without those of its own books", () => {
    assert.deepEqual(parseBlockRuns("Inode: 8\nEXTENTS:\n(ETB0):7, (0-3):8-11, (4[u]):20\n"), [
      { logical: 0, physical: 8, count: 4 },
      { logical: 4, physical: 20, count: 1 },
    ]);
    assert.deepEqual(parseBlockRuns("BLOCKS:\n(0-11):1024-1035, (IND):1036, (12):1037\nTOTAL: 14\n"), [
      { logical: 0, physical: 1024, count: 12 },
      { logical: 12, physical: 1037, count: 1 },
    ]);
    assert.deepEqual(parseBlockRuns("Inode: 8 (0-3):8-11"), []);
  });
});

describe("the disk that an image is made of", () => {
  const root = { source: "10.0.0.1:/srv/rootfs", disk: "" };
  const card = aDevice("mmcblk0");
  const stick = aDevice("sda", { transport: "usb" });
  const pathOf = (found: ReturnType<typeof selectCard>) => (found instanceof Failure ? found.message : found.path);
  it("is the card, whatever else there is, though it is locked or protected", () => {
    assert.equal(pathOf(selectCard([stick, card], root, undefined)), "/dev/mmcblk0");
    const kept = aDevice("mmcblk0", { readOnly: true, label: "PALLET-KEEP" });
    assert.equal(pathOf(selectCard([kept], root, undefined)), "/dev/mmcblk0");
  });
  it("is the only disk, or the one that is named", () => {
    assert.equal(pathOf(selectCard([stick], root, undefined)), "/dev/sda");
    assert.equal(pathOf(selectCard([stick, card], root, "/dev/sda")), "/dev/sda");
  });
  it("is none of several, of none, of what the node runs from, or of what is in use", () => {
    assert.match(
      pathOf(selectCard([stick, aDevice("sdb")], root, undefined)),
      /several disks: .*--from NODE:\/dev\/sda/,
    );
    assert.match(pathOf(selectCard([], root, undefined)), /no disk/);
    assert.match(pathOf(selectCard([card], { source: "/dev/mmcblk0p2", disk: "/dev/mmcblk0" }, undefined)), /no disk/);
    const mounted = aDevice("mmcblk0", { children: [aDevice("mmcblk0p1", { mountpoints: ["/mnt"] })] });
    assert.match(pathOf(selectCard([mounted], root, undefined)), /is mounted/);
    assert.match(pathOf(selectCard([mounted], root, "/dev/mmcblk0p1")), /not a whole disk/);
  });
});
