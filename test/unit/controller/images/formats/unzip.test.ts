import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import fc from "fast-check";
import { unzip } from "../../../../../controller/images/formats/unzip.ts";
import { Failure } from "../../../../../proto/failure.ts";

let folder: string;
const content = Buffer.concat([randomBytes(3000), Buffer.alloc(200_000), Buffer.from("text".repeat(5000))]);
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "pallet-zip-"));
  await mkdir(join(folder, "folder"));
  for (const name of ["a.img", "b.img", "folder/a.img"]) await writeFile(join(folder, name), content);
});
after(() => rm(folder, { recursive: true }));

async function zip(...args: string[]): Promise<Buffer> {
  const path = join(folder, `${createHash("md5").update(args.join()).digest("hex")}.zip`);
  await rm(path, { force: true });
  await execa("zip", ["-q", path, ...args], { cwd: folder });
  return readFile(path);
}

/** What comes out of an archive that comes in pieces of this many bytes. */
async function contentOf(archive: Buffer, pieceBytes = 1000): Promise<Buffer> {
  const source = async function* () {
    for (let at = 0; at < archive.length; at += pieceBytes) yield archive.subarray(at, at + pieceBytes);
  };
  return Buffer.concat(await Array.fromAsync(unzip(source())));
}

const refusedAs = (reason: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error));
  assert.match(error.message, message);
  assert.equal(error.reason, reason);
  return true;
};

describe("the file in a ZIP archive", () => {
  const ways = { deflated: [], stored: ["-0"], "written to a pipe": ["-fd"], ZIP64: ["-fz"], both: ["-fz", "-fd"] };
  for (const [title, args] of Object.entries(ways)) {
    it(`is read, ${title}, however the archive arrives, and refused wherever it was cut short`, async () => {
      const archive = await zip(...args, "a.img");
      for (const pieceBytes of [1, 7, 1000, 1 << 20]) {
        assert.ok((await contentOf(archive, pieceBytes)).equals(content), `in pieces of ${pieceBytes} bytes`);
      }
      const damaged = refusedAs("image-damaged", /ZIP archive is damaged or was cut short/);
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 4, max: archive.length - 1 }), async (length) => {
          await assert.rejects(contentOf(archive.subarray(0, length)), damaged);
        }),
        { numRuns: 40 },
      );
      await assert.rejects(contentOf(Buffer.concat([archive, Buffer.from("x")])), damaged);
      assert.ok((await contentOf(Buffer.concat([archive, Buffer.alloc(70_000)]))).equals(content), "padded with zeros");
    });

    it(`is never other than it was, ${title}, whichever byte of the archive is wrong`, async () => {
      const archive = await zip(...args, "a.img");
      const change = fc.record({
        at: fc.integer({ min: 4, max: archive.length - 1 }),
        by: fc.integer({ min: 1, max: 255 }),
      });
      await fc.assert(
        fc.asyncProperty(change, async ({ at, by }) => {
          const altered = Buffer.from(archive);
          altered.writeUInt8(altered.readUInt8(at) ^ by, at);
          // Much of a directory, names and times for example, is not looked at.
          const found = await contentOf(altered).catch((error) => {
            assert.ok(error instanceof Failure, String(error));
            return content;
          });
          assert.ok(found.equals(content));
        }),
        { numRuns: 100 },
      );
    });
  }

  it("is refused, with the remedy, when it is not alone, or not to be read", async () => {
    const several = refusedAs("unsupported", /holds a folder or several files; unpack it and add the .img file inside/);
    for (const args of [
      ["a.img", "b.img"],
      ["-r", "folder"],
      ["-fd", "a.img", "b.img"],
      ["-0", "a.img", "b.img"],
    ]) {
      await assert.rejects(contentOf(await zip(...args)), several);
    }
    const archive = await zip("a.img");
    const patched = (change: (header: Buffer) => void) => {
      const copy = Buffer.from(archive);
      change(copy);
      return copy;
    };
    const cases: readonly (readonly [Buffer, RegExp])[] = [
      [await zip("-P", "secret", "a.img"), /is encrypted; decrypt it/],
      [patched((header) => header.writeUInt16LE(14, 8)), /holds "a.img" compressed with LZMA; unpack it/],
      [patched((header) => header.writeUInt16LE(77, 8)), /compressed with method 77; unpack it/],
      [patched((header) => header.writeUInt16LE(0x20, 6)), /holds a patch/],
      [
        patched((header) => header.writeUInt16LE(8, 6) && header.writeUInt16LE(0, 8)),
        /does not say where its file ends/,
      ],
    ];
    for (const [bytes, message] of cases) await assert.rejects(contentOf(bytes), refusedAs("unsupported", message));
  });

  it("is refused before it is read when it says that it is larger than any image", async () => {
    const archive = await zip("-X", "-fz", "a.img");
    // The ZIP64 field is the only extra one, behind the header and the name; it begins with the size.
    archive.writeBigUInt64LE(2n ** 50n, 30 + "a.img".length + 4);
    await assert.rejects(
      contentOf(archive),
      refusedAs("unsupported", /a file of 1125899906842624 bytes; an image has/),
    );
  });

  it("is refused before it is read when its lengths are impossible, or contradict each other", async () => {
    const size = 30 + "a.img".length + 4;
    const lengths: readonly (readonly [args: readonly string[], at: number, bytes: bigint, message: RegExp])[] = [
      [[], size, 2n ** 64n - 1n, /impossible length, 18446744073709551615 bytes/],
      [[], size + 8, 2n ** 53n, /impossible length, 9007199254740992 bytes/],
      [["-0"], size + 8, 2n ** 40n, /lengths contradict each other/],
    ];
    for (const [args, at, bytes, message] of lengths) {
      const archive = await zip("-X", "-fz", ...args, "a.img");
      archive.writeBigUInt64LE(bytes, at);
      const headerOnly = async function* () {
        yield archive.subarray(0, size + 16);
        assert.fail("the content was read");
      };
      await assert.rejects(Array.fromAsync(unzip(headerOnly())), refusedAs("image-damaged", message));
    }
  });

  it("is refused as soon as it is longer than it says", async () => {
    const archive = await zip("-X", "-fz", "a.img");
    archive.writeBigUInt64LE(1000n, 30 + "a.img".length + 4);
    let outBytes = 0;
    const read = async () => {
      const source = async function* () {
        yield archive;
      };
      for await (const bytes of unzip(source())) outBytes += bytes.length;
    };
    await assert.rejects(read(), refusedAs("image-damaged", /longer than it says/));
    assert.equal(outBytes, 0);
  });

  it("gives the source's own error when the source breaks", async () => {
    const broken = new Error("connection lost");
    for (const args of [[], ["-0"]]) {
      const archive = await zip(...args, "a.img");
      for (const lengthBytes of [10, 2000, archive.length - 5]) {
        const source = (async function* () {
          yield archive.subarray(0, lengthBytes);
          throw broken;
        })();
        await assert.rejects(Array.fromAsync(unzip(source)), (error) => error === broken);
      }
    }
  });
});
