// The tables that the agent fits to a card, with sfdisk(8) as judge: it reads them back from a sparse file of the
// card's size, and says of a GPT whether its backup and its checksums are right.
import assert from "node:assert/strict";
import { mkdtemp, open, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { crc32 } from "node:zlib";
import { execa } from "execa";
import fc from "fast-check";
import { renderCardTable } from "../../../../agent/card/render-card-table.ts";
import type { TableChanges } from "../../../../agent/card/table-changes.ts";

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

interface Dump {
  readonly label: string;
  readonly id: string;
  readonly lastlba?: number;
  readonly partitions: readonly {
    readonly start: number;
    readonly size: number;
    readonly type: string;
    uuid?: string;
  }[];
}

describe("renderCardTable", () => {
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "pallet-table-"));
    file = path.join(folder, "disk");
  });
  after(() => rm(folder, { recursive: true }));

  /** The first bytes of an image that sfdisk partitioned. */
  async function tableOf(script: string, imageBytes: number, startBytes = mebibyte): Promise<Buffer> {
    await rm(file, { force: true });
    const handle = await open(file, "w");
    await handle.truncate(imageBytes);
    await handle.close();
    await execa("sfdisk", ["--quiet", file], { input: script });
    const read = await open(file, "r");
    const start = Buffer.alloc(startBytes);
    await read.read(start, 0, startBytes, 0);
    await read.close();
    return start;
  }

  /** What sfdisk makes of a card with this table; `said` is what it complains of. */
  async function onCard(
    table: ReturnType<typeof renderCardTable>,
    diskBytes: number,
  ): Promise<Dump & { said: string }> {
    await rm(file, { force: true });
    const handle = await open(file, "w");
    await handle.truncate(diskBytes);
    await handle.write(table.start, 0, table.start.length, 0);
    if (table.backup !== undefined) {
      const { bytes, offsetBytes } = table.backup;
      await handle.write(bytes, 0, bytes.length, offsetBytes);
    }
    await handle.close();
    const { stdout, stderr } = await execa("sfdisk", ["--json", file]);
    const verified = await execa("sfdisk", ["--verify", file], { all: true, reject: false });
    const said = `${stderr}\n${verified.all}`;
    const complaints = said
      .split("\n")
      .filter((line) => /corrupt|GPT PMBR|backup|mismatch|overlap|Invalid/i.test(line));
    return { ...JSON.parse(stdout).partitiontable, said: complaints.join("\n") };
  }

  const mbr = "label: dos\nlabel-id: 0x4e639091\nstart=2048, size=131072, type=c\nstart=133120, size=262144, type=83\n";
  const gpt = "label: gpt\nstart=2048, size=131072, type=U\nstart=133120, size=262144, type=L\n";
  const root = { partitionNumber: 2, offsetBytes: 133120 * 512, lengthBytes: 262144 * 512, filesystemType: "ext4" };
  const imageBytes = 256 * mebibyte;

  for (const [kind, script] of [
    ["mbr", mbr],
    ["gpt", gpt],
  ] as const) {
    it(`grows the last partition of a card of any size, to its end or to a bound: ${kind}`, async () => {
      const start = await tableOf(script, imageBytes);
      const cards = fc.record({
        diskSectors: fc.oneof(
          fc.integer({ min: imageBytes / 512, max: (2 * gibibyte) / 512 }),
          fc.integer({ min: imageBytes / 512, max: (512 * gibibyte) / 512 }),
        ),
        endBytes: fc.option(fc.integer({ min: 0, max: 64 * gibibyte }), { nil: undefined }),
      });
      await fc.assert(
        fc.asyncProperty(cards, async ({ diskSectors, endBytes }) => {
          const diskBytes = diskSectors * 512;
          const table = renderCardTable(start, { diskBytes, growth: { ...root, ...(endBytes && { endBytes }) } });
          const found = await onCard(table, diskBytes);
          assert.equal(found.said, "");
          const [boot, last] = found.partitions;
          assert.deepEqual([boot?.start, boot?.size], [2048, 131072]);
          assert.equal(last?.start, 133120);
          const length = (last?.size ?? 0) * 512;
          assert.deepEqual(table.growth, { lengthBytes: length });
          const end = root.offsetBytes + length;
          assert.ok(length >= root.lengthBytes && end <= diskBytes);
          const bound = Math.min(diskBytes, endBytes || diskBytes);
          if (length > root.lengthBytes) assert.ok(end % mebibyte === 0 && end <= bound && bound - end <= 2 * mebibyte);
          if (found.label === "gpt") assert.equal(found.lastlba, diskSectors - 34);
        }),
        { numRuns: 40 },
      );
    });
  }

  it("gives a GPT the card's end also when nothing grows, and changes nothing of an MBR then", async () => {
    const diskBytes = 8 * gibibyte;
    const ofGpt = await tableOf(gpt, imageBytes);
    const found = await onCard(renderCardTable(ofGpt, { diskBytes }), diskBytes);
    assert.deepEqual([found.said, found.lastlba], ["", diskBytes / 512 - 34]);
    assert.equal(found.partitions[1]?.size, 262144);
    // What was before would be complained of: the judge is awake.
    assert.match((await onCard({ start: ofGpt, ids: [] }, diskBytes)).said, /GPT PMBR size mismatch|backup/);
    const ofMbr = await tableOf(mbr, imageBytes);
    assert.deepEqual(renderCardTable(ofMbr, { diskBytes }), { start: ofMbr, ids: [] });
  });

  it("is the image's own on a card that is as large as the image", async () => {
    for (const script of [mbr, gpt]) {
      const start = await tableOf(script, imageBytes);
      assert.ok(renderCardTable(start, { diskBytes: imageBytes }).start.equals(start));
    }
  });

  it("keeps the backup's place free whatever the image's GPT calls its last usable sector", async () => {
    const start = await tableOf(gpt, imageBytes);
    const lastSector = imageBytes / 512 - 1;
    const lastFree = lastSector - 33;
    for (const [claimed, expected] of [
      [2n ** 64n - 1n, lastFree],
      [BigInt(lastSector), lastFree],
      [BigInt(lastFree) + 1n, lastFree],
      [BigInt(lastFree), lastFree],
      [BigInt(lastFree) - 2048n, lastFree - 2048],
    ] as const) {
      const claiming = Buffer.from(start);
      claiming.writeBigUInt64LE(claimed, 512 + 48);
      claiming.writeUInt32LE(crc32(Buffer.from(claiming.subarray(512, 512 + 92)).fill(0, 16, 20)), 512 + 16);
      const table = renderCardTable(claiming, { diskBytes: imageBytes, growth: root });
      assert.equal(table.start.readBigUInt64LE(512 + 48), BigInt(expected));
      assert.ok(table.growth !== undefined && "lengthBytes" in table.growth);
      assert.ok(root.offsetBytes + table.growth.lengthBytes <= (expected + 1) * 512, `claimed ${claimed}`);
      assert.equal(table.backup?.offsetBytes, (lastFree + 1) * 512);
    }
  });

  it("writes no backup onto the start of a card that ends there", async () => {
    const start = await tableOf("label: gpt\n", imageBytes);
    const table = renderCardTable(start, { diskBytes: start.length });
    assert.equal(table.backup, undefined);
    assert.ok(table.start.equals(start));
  });

  it("ends an MBR's partition where 32 bits end", async () => {
    const start = await tableOf(mbr, imageBytes);
    const { growth } = renderCardTable(start, { diskBytes: 4096 * gibibyte, growth: root });
    assert.ok(growth !== undefined && "lengthBytes" in growth);
    const end = root.offsetBytes + growth.lengthBytes;
    assert.ok(end < 2 ** 41 && 2 ** 41 - end <= mebibyte, `ends at ${end}`);
  });

  const refusals: readonly (readonly [what: string, script: string, TableChanges["growth"], RegExp])[] = [
    [
      "a partition that is not the last",
      mbr,
      { ...root, partitionNumber: 1, offsetBytes: mebibyte, lengthBytes: 131072 * 512 },
      /not the last/,
    ],
    [
      "the same of a GPT",
      gpt,
      { ...root, partitionNumber: 1, offsetBytes: mebibyte, lengthBytes: 131072 * 512 },
      /not the last/,
    ],
    ["a partition that lies elsewhere", mbr, { ...root, offsetBytes: root.offsetBytes + 512 }, /elsewhere/],
    ["the same of a GPT", gpt, { ...root, lengthBytes: root.lengthBytes - 512 }, /elsewhere/],
    [
      "a logical partition",
      "label: dos\nstart=2048, size=131072, type=c\nstart=133120, type=5\nstart=135168, size=65536, type=83\n",
      { ...root, partitionNumber: 5, offsetBytes: 135168 * 512, lengthBytes: 65536 * 512 },
      /logical/,
    ],
    [
      "a partition before an extended one",
      "label: dos\nstart=2048, size=131072, type=83\nstart=133120, type=5\nstart=135168, size=65536, type=83\n",
      { ...root, partitionNumber: 1, offsetBytes: mebibyte, lengthBytes: 131072 * 512 },
      /not the last/,
    ],
  ];
  for (const [what, script, growth, whyNot] of refusals) {
    it(`does not grow ${what}, and says why: ${script.slice(7, 10)}`, async () => {
      const start = await tableOf(script, imageBytes);
      const table = renderCardTable(start, { diskBytes: imageBytes, growth });
      assert.ok(table.growth !== undefined && "whyNot" in table.growth);
      assert.match(table.growth.whyNot, whyNot);
      assert.ok(table.start.equals(start));
    });
  }

  it("changes nothing of what it does not understand, whatever bytes they are", async () => {
    const start = await tableOf(gpt, imageBytes);
    fc.assert(
      fc.property(fc.integer({ min: 512, max: 512 + 91 }), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const broken = Buffer.from(start);
        broken[at] = (broken[at] ?? 0) ^ by;
        const table = renderCardTable(broken, { diskBytes: gibibyte, growth: root });
        assert.ok(table.start.equals(broken) && table.backup === undefined);
        assert.ok(table.growth !== undefined && "whyNot" in table.growth);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), fc.boolean(), (bytes, signed) => {
        const any = Buffer.from(bytes);
        if (signed && any.length >= 512) any.writeUInt16LE(0xaa55, 510);
        assert.equal(renderCardTable(any, { diskBytes: gibibyte, growth: root }).start.length, any.length);
      }),
    );
  });

  it("replaces a disk id of 0, of all partitions", async () => {
    const start = await tableOf(mbr.replace("0x4e639091", "0x00000000"), imageBytes);
    const ids = [1, 2].map((partitionNumber) => ({
      partitionNumber,
      imageUuid: `00000000-0${partitionNumber}`,
      cardUuid: `5eed1234-0${partitionNumber}`,
    }));
    start.writeUInt32LE(0, 440);
    const table = renderCardTable(start, { diskBytes: imageBytes, ids });
    assert.deepEqual(table.ids, ids);
    assert.equal((await onCard(table, imageBytes)).id, "0x5eed1234");
    // Not of a disk that has one.
    const other = await tableOf(mbr, imageBytes);
    assert.deepEqual(renderCardTable(other, { diskBytes: imageBytes, ids }), { start: other, ids: [] });
  });

  it("replaces GUIDs of a GPT that are zero or there twice", async () => {
    const twice = "d2cd4509-1b05-4e3c-8e3b-0a0b0c0d0e0f";
    const script = gpt.replaceAll("size=131072,", `size=131072, uuid=${twice},`);
    const start = await tableOf(script, imageBytes);
    const change = { partitionNumber: 1, imageUuid: twice, cardUuid: "11223344-5566-4788-99aa-bbccddeeff00" };
    const table = renderCardTable(start, { diskBytes: gibibyte, ids: [change], growth: root });
    assert.deepEqual(table.ids, [change]);
    const found = await onCard(table, gibibyte);
    assert.equal(found.said, "");
    assert.equal(found.partitions[0]?.uuid?.toLowerCase(), change.cardUuid);
    const absent = { ...change, partitionNumber: 2 };
    assert.deepEqual(renderCardTable(start, { diskBytes: gibibyte, ids: [absent] }).ids, []);
  });
});
