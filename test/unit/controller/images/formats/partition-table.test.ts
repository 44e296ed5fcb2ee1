import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { crc32 } from "node:zlib";
import { execa } from "execa";
import fc from "fast-check";
import { parsePartitionTable } from "../../../../../controller/images/formats/parse-partition-table.ts";
import type { ReadBytes } from "../../../../../controller/images/formats/partition-table.ts";
import { Failure } from "../../../../../proto/failure.ts";
import { goldenFile, rewritesGolden } from "../../../../golden.ts";

/** A table that sfdisk made: its script, the sectors that it wrote, and what it says of them itself. */
interface Golden {
  readonly script: readonly string[];
  readonly imageBytes: number;
  readonly sectors: Readonly<Record<string, string>>;
  readonly partitiontable: {
    readonly label: "dos" | "gpt";
    readonly id: string;
    readonly partitions: readonly {
      readonly node: string;
      readonly start: number;
      readonly size: number;
      readonly type: string;
      readonly uuid?: string;
      readonly name?: string;
    }[];
  };
}

const MiB = 1024 * 1024;

const scripts: Readonly<Record<string, readonly string[]>> = {
  "raspberry-pi-os": [
    "label: dos",
    "label-id: 0x4e639091",
    "start=8192, size=16384, type=c",
    "start=24576, size=32768, type=83",
  ],
  "root-first-with-gap": [
    "label: dos",
    "label-id: 0x00000a0b",
    "3 : start=2048, size=8192, type=83",
    "1 : start=20480, size=8192, type=b",
  ],
  "logical-partitions": [
    "label: dos",
    "label-id: 0xdeadbeef",
    "start=2048, size=8192, type=c",
    "start=10240, size=61440, type=f",
    "start=12288, size=8192, type=83",
    "start=22528, size=8192, type=82",
    "start=32768, size=32768, type=83",
  ],
  "gpt-with-gap": [
    "label: gpt",
    "label-id: 9A6F9D1C-6D4B-4D51-8D3B-6C2F5E0A1B2C",
    "1 : start=2048, size=16384, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, uuid=0F0E0D0C-0B0A-4908-8706-050403020100, name=boot",
    "15 : start=20480, size=32768, type=B921B045-1DF0-41C3-AF44-4C6F280D3FAE, uuid=11223344-5566-4788-99AA-BBCCDDEEFF00, name=root",
  ],
};

function readerOf(image: Buffer): ReadBytes {
  return (offset, length) => image.subarray(offset, offset + length);
}

function imageOf(golden: Golden): Buffer {
  const image = Buffer.alloc(golden.imageBytes);
  for (const [sector, hex] of Object.entries(golden.sectors)) Buffer.from(hex, "hex").copy(image, Number(sector) * 512);
  return image;
}

const parse = (image: Buffer, imageBytes = image.length) => parsePartitionTable(readerOf(image), imageBytes);

async function writeGolden(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pallet-tables-"));
  try {
    for (const [name, script] of Object.entries(scripts)) {
      const path = join(folder, name);
      await writeFile(path, "");
      await truncate(path, 40 * MiB);
      await execa("sfdisk", ["--quiet", path], { input: `${script.join("\n")}\n` });
      const { stdout } = await execa("sfdisk", ["--json", path]);
      const image = await readFile(path);
      const sectors: Record<string, string> = {};
      for (let sector = 0; sector < image.length / 512; sector++) {
        const bytes = image.subarray(sector * 512, (sector + 1) * 512);
        if (bytes.some((byte) => byte !== 0)) sectors[sector] = bytes.toString("hex");
      }
      const { partitiontable } = JSON.parse(stdout.replaceAll(path, "image"));
      const golden: Golden = { script, imageBytes: image.length, sectors, partitiontable };
      await writeFile(goldenFile(`images/${name}.json`), `${JSON.stringify(golden, null, 2)}\n`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("partition tables as sfdisk writes them", () => {
  before(async () => {
    if (rewritesGolden) await writeGolden();
  });

  it("has a golden file for every layout", async () => {
    const names = (await readdir(goldenFile("images"))).filter((name) => name.endsWith(".json"));
    assert.deepEqual(
      names.toSorted(),
      Object.keys(scripts)
        .map((name) => `${name}.json`)
        .toSorted(),
    );
  });

  for (const name of Object.keys(scripts)) {
    it(`reads ${name} as sfdisk does`, async () => {
      const golden: Golden = JSON.parse(await readFile(goldenFile(`images/${name}.json`), "utf8"));
      const { label, id, partitions } = golden.partitiontable;
      const expected = partitions
        .map(({ node, start, size, type, uuid, name }) => {
          const number = Number(/\d+$/.exec(node)?.[0]);
          return {
            number,
            offsetBytes: start * 512,
            lengthBytes: size * 512,
            type: label === "gpt" ? type.toLowerCase() : type.padStart(2, "0"),
            partitionUuid:
              uuid?.toLowerCase() ??
              `${id.replace(/^0x/, "").padStart(8, "0")}-${number.toString(16).padStart(2, "0")}`,
            ...(name !== undefined && { partitionLabel: name }),
          };
        })
        .filter(({ type }) => type !== "0f")
        .toSorted((a, b) => a.number - b.number);
      const table = parse(imageOf(golden));
      assert.equal(table.kind, label === "dos" ? "mbr" : "gpt");
      assert.deepEqual(table.entries, expected);
    });
  }
});

/** One slot of a boot record. */
interface Slot {
  readonly type: number;
  readonly start: number;
  readonly sectors: number;
}

function writeRecord(image: Buffer, sector: number, slots: readonly Slot[]): void {
  for (const [position, { type, start, sectors }] of slots.entries()) {
    const at = sector * 512 + 446 + 16 * position;
    image.writeUInt8(type, at + 4);
    image.writeUInt32LE(start, at + 8);
    image.writeUInt32LE(sectors, at + 12);
  }
  image.writeUInt16LE(0xaa55, sector * 512 + 510);
}

function mbrImage(sectors: number, slots: readonly Slot[]): Buffer {
  const image = Buffer.alloc(sectors * 512);
  writeRecord(image, 0, slots);
  return image;
}

const refusal = (pattern: RegExp) => (error: unknown) => error instanceof Failure && pattern.test(error.message);

describe("an MBR that contradicts itself", () => {
  const cases: readonly (readonly [string, Buffer, RegExp])[] = [
    ["is empty", mbrImage(100, []), /is empty/],
    ["has no signature", Buffer.alloc(51200), /no partition table/],
    ["lies in a file shorter than a sector", Buffer.alloc(100), /no partition table/],
    [
      "reaches past the end",
      mbrImage(100, [{ type: 0x83, start: 50, sectors: 51 }]),
      /partition 1 extends past the image/,
    ],
    [
      "starts in the table itself",
      mbrImage(100, [{ type: 0x83, start: 0, sectors: 5 }]),
      /partition 1 starts inside the partition table/,
    ],
    [
      "has partitions that overlap",
      mbrImage(100, [
        { type: 0x83, start: 10, sectors: 20 },
        { type: 0x0c, start: 29, sectors: 20 },
      ]),
      /partitions 1 and 2 overlap/,
    ],
    [
      "has two extended partitions",
      mbrImage(100, [
        { type: 0x05, start: 10, sectors: 20 },
        { type: 0x0f, start: 30, sectors: 20 },
      ]),
      /two extended/,
    ],
    [
      "has nothing but an extended partition without a record",
      mbrImage(100, [{ type: 0x05, start: 10, sectors: 20 }]),
      /is empty/,
    ],
  ];
  for (const [title, image, pattern] of cases) {
    it(`is refused when it ${title}`, () => {
      assert.throws(() => parse(image), refusal(pattern));
    });
  }

  it("is refused when its chain of logical partitions is a circle", () => {
    const image = mbrImage(1000, [{ type: 0x05, start: 10, sectors: 900 }]);
    writeRecord(image, 10, [
      { type: 0x83, start: 1, sectors: 5 },
      { type: 0x05, start: 50, sectors: 10 },
    ]);
    writeRecord(image, 60, [
      { type: 0x83, start: 1, sectors: 5 },
      { type: 0x05, start: 50, sectors: 10 },
    ]);
    assert.throws(() => parse(image), refusal(/never ends/));
  });

  it("is refused when it has more logical partitions than anybody has", () => {
    const image = mbrImage(1000, [{ type: 0x05, start: 10, sectors: 900 }]);
    for (let record = 0; record < 61; record += 1) {
      writeRecord(image, 10 + record * 10, [
        { type: 0x83, start: 1, sectors: 5 },
        { type: 0x05, start: (record + 1) * 10, sectors: 10 },
      ]);
    }
    assert.throws(() => parse(image), refusal(/more than 60 logical partitions/));
  });

  it("is refused when its chain of logical partitions leaves the extended one", () => {
    const image = mbrImage(1000, [{ type: 0x05, start: 10, sectors: 100 }]);
    writeRecord(image, 10, [
      { type: 0x83, start: 1, sectors: 5 },
      { type: 0x05, start: 500, sectors: 10 },
    ]);
    assert.throws(() => parse(image), refusal(/leaves the extended partition at sector 510/));
  });

  it("is refused when a logical partition leaves the extended one", () => {
    const image = mbrImage(1000, [{ type: 0x05, start: 10, sectors: 100 }]);
    writeRecord(image, 10, [{ type: 0x83, start: 1, sectors: 500 }]);
    assert.throws(() => parse(image), refusal(/partition 5 extends past the extended partition/));
  });

  it("is refused when its chain of logical partitions leads to no record", () => {
    const image = mbrImage(1000, [{ type: 0x05, start: 10, sectors: 900 }]);
    writeRecord(image, 10, [
      { type: 0x83, start: 1, sectors: 5 },
      { type: 0x05, start: 50, sectors: 10 },
    ]);
    assert.throws(() => parse(image), refusal(/boot record in sector 60 has no signature/));
  });

  it("is refused when a record of its chain is inside a logical partition", () => {
    const image = mbrImage(1000, [{ type: 0x05, start: 10, sectors: 900 }]);
    writeRecord(image, 10, [
      { type: 0x83, start: 1, sectors: 100 },
      { type: 0x05, start: 50, sectors: 300 },
    ]);
    writeRecord(image, 60, [{ type: 0x83, start: 200, sectors: 5 }]);
    assert.throws(() => parse(image), refusal(/boot record in sector 60 is inside partition 5/));
  });

  it("has no logical partitions when its extended partition has no record, whatever is there", () => {
    for (const fill of [0, 0x41]) {
      const slots = [
        { type: 0x83, start: 5, sectors: 5 },
        { type: 0x0f, start: 10, sectors: 20 },
      ];
      const image = mbrImage(100, slots).fill(fill, 10 * 512, 11 * 512);
      assert.deepEqual(
        parse(image).entries.map(({ number }) => number),
        [1],
      );
    }
  });

  it("is no table when it is the boot sector of a FAT filesystem", () => {
    const image = Buffer.alloc(51200, 0x41);
    image.writeUInt16LE(0xaa55, 510);
    assert.throws(() => parse(image), refusal(/no partition table/));
  });
});

describe("any bytes", () => {
  it("give a table or a Failure, never another error, and no partition outside the image", () => {
    const slot = fc.record({
      type: fc.constantFrom(0, 0x05, 0x0c, 0x0f, 0x83, 0xee),
      start: fc.integer({ min: 0, max: 70 }),
      sectors: fc.integer({ min: 0, max: 70 }),
    });
    const record = fc.record({ at: fc.integer({ min: 0, max: 63 }), slots: fc.array(slot, { maxLength: 4 }) });
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 6 }),
        fc.array(slot, { minLength: 1, maxLength: 4 }),
        (records, first) => {
          const image = Buffer.alloc(64 * 512);
          for (const { at, slots } of records) writeRecord(image, at, slots);
          writeRecord(image, 0, first);
          try {
            const { entries } = parse(image);
            const sorted = entries.toSorted((a, b) => a.offsetBytes - b.offsetBytes);
            for (const [index, { offsetBytes, lengthBytes }] of sorted.entries()) {
              assert.ok(offsetBytes >= 512 && lengthBytes > 0);
              assert.ok(offsetBytes + lengthBytes <= (sorted[index + 1]?.offsetBytes ?? image.length));
            }
          } catch (error) {
            if (!(error instanceof Failure)) throw error;
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("a GUID partition table", () => {
  /** All that the parser reads of a much larger image, so that altering a copy costs nothing. */
  let image: Buffer;
  const imageBytes = 40 * MiB;
  before(async () => {
    const golden: Golden = JSON.parse(await readFile(goldenFile("images/gpt-with-gap.json"), "utf8"));
    image = Buffer.from(imageOf(golden).subarray(0, 40 * 512));
  });

  /** Changes the table and puts its checksums right, so that only the change itself can be refused. */
  function altered(change: (header: Buffer, entries: Buffer) => void): Buffer {
    const copy = Buffer.from(image);
    const header = copy.subarray(512, 512 + 92);
    const entries = copy.subarray(1024, 1024 + 128 * 128);
    change(header, entries);
    header.writeUInt32LE(crc32(entries), 88);
    header.fill(0, 16, 20).writeUInt32LE(crc32(header), 16);
    return copy;
  }

  it("is refused whichever bit of header or entries is wrong", () => {
    fc.assert(
      fc.property(fc.integer({ min: 512, max: 512 + 91 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const copy = Buffer.from(image);
        copy.writeUInt8(copy.readUInt8(at) ^ (1 << bit), at);
        assert.throws(() => parse(copy, imageBytes), refusal(/GUID partition table is damaged/));
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1024, max: 1024 + 128 * 128 - 1 }), (at) => {
        const copy = Buffer.from(image);
        copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
        assert.throws(() => parse(copy, imageBytes), refusal(/checksum of its entries is wrong/));
      }),
      { numRuns: 20 },
    );
  });

  const cases: readonly (readonly [string, (header: Buffer, entries: Buffer) => void, RegExp])[] = [
    ["lies elsewhere", (header) => header.writeBigUInt64LE(7n, 24), /header gives another location/],
    ["has huge entries", (header) => header.writeUInt32LE(0x8000_0000, 84), /sizes are impossible/],
    ["has millions of entries", (header) => header.writeUInt32LE(0xffff_ffff, 80), /sizes are impossible/],
    ["has entries past the end", (header) => header.writeBigUInt64LE(2n ** 60n, 72), /past the end of the image/],
    ["ends before it starts", (_, entries) => entries.writeBigUInt64LE(5n, 40), /ends before it starts/],
    ["reaches past the end", (_, entries) => entries.writeBigUInt64LE(2n ** 40n, 40), /past the end of the image/],
    ["overlaps", (_, entries) => entries.writeBigUInt64LE(20_480n, 40), /partitions 1 and 15 overlap/],
    [
      "starts before the usable part",
      (_, entries) => entries.writeBigUInt64LE(3n, 32),
      /partition 1 starts before the area for partitions/,
    ],
    [
      "ends behind the usable part",
      (header) => header.writeBigUInt64LE(50_000n, 48),
      /partition 15 extends past the area for partitions/,
    ],
    ["is empty", (_, entries) => entries.fill(0), /is empty/],
  ];
  for (const [title, change, pattern] of cases) {
    it(`is refused when it, or a partition of it, ${title}`, () => {
      assert.throws(() => parse(altered(change), imageBytes), refusal(pattern));
    });
  }

  it("is read from an image that ends behind its last partition, and refused from a shorter one", () => {
    const end = (20_480 + 32_768) * 512;
    const whole = parse(image, imageBytes);
    assert.deepEqual(parse(image, end), whole);
    for (const last of [2n ** 20n, 2n ** 64n - 1n]) {
      assert.deepEqual(
        parse(
          altered((header) => header.writeBigUInt64LE(last, 48)),
          end,
        ),
        whole,
      );
    }
    assert.throws(() => parse(image, end - 512), refusal(/the end of partition 15 is past the end of the image/));
  });

  it("comes first where the boot record is a hybrid, which has partitions of its own", () => {
    const copy = Buffer.from(image);
    writeRecord(copy, 0, [
      { type: 0xee, start: 1, sectors: 2047 },
      { type: 0x0c, start: 2048, sectors: 16_384 },
    ]);
    assert.deepEqual(parse(copy, imageBytes), parse(image, imageBytes));
  });

  it("is refused when the header is gone and only the protective MBR is left", () => {
    assert.throws(() => parse(Buffer.from(image).fill(0, 512, 1024), imageBytes), refusal(/header is missing/));
  });

  it("is refused, with the reason, on sectors of 4096 bytes", () => {
    const copy = Buffer.from(image).fill(0, 512, 1024);
    copy.write("EFI PART", 4096, "latin1");
    assert.throws(() => parse(copy, imageBytes), refusal(/sectors of 4096 bytes/));
  });
});
