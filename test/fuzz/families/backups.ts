import assert from "node:assert/strict";
import fc from "fast-check";
import { backupFormat, parseAbout, renderAbout } from "../../../controller/backup/about.ts";
import { parseLastKept } from "../../../controller/backup/last-kept.ts";
import { mostBytesOf, partOf } from "../../../controller/backup/member-names.ts";
import { parseSums } from "../../../controller/backup/parse-sums.ts";
import { readTar } from "../../../controller/backup/tar/read-tar.ts";
import {
  mostNameBytes,
  parseLongName,
  parseTarHeader,
  renderTarHeader,
  tarBlockBytes,
} from "../../../controller/backup/tar/tar-header.ts";
import { writeTar } from "../../../controller/backup/tar/write-tar.ts";
import { family, unlessRefused, unlessRejected } from "../frame/family.ts";
import { mutatedBytes, mutatedText } from "../frame/mutations.ts";

// Left out: zstd's own format (Node's library), and SQLite's. A backup is root's own file; what is refused here is what a
// damaged or forged one could reach outside of its folder.

const about = renderAbout({
  ...{
    format: backupFormat,
    pallet: "0.1.0",
    schema: 12,
    takenAt: "2026-11-30T03:15:00.000Z",
    authority: "ab".repeat(16),
  },
  ...{ nodes: 3, images: [{ name: "debian", digest: "cd".repeat(32), isIn: true }], leftOut: ["/usr/local/bin/x"] },
});
const files: Readonly<Record<string, string>> = {
  "pallet-backup.json": about,
  "config/pallet.yaml": "listen: 10.0.0.1\n",
  [`images/debian/boot/firmware/${"long/".repeat(30)}name`]: "x".repeat(700),
  "pallet.sqlite": "",
};
const members = Object.entries(files).map(([name, text]) => ({
  name,
  sizeBytes: text.length,
  content: () => [Buffer.from(text)],
}));
const archive = Buffer.concat(await Array.fromAsync(writeTar(members, { sumsName: "SHA256SUMS", modifiedAt: 1 })));
const header = renderTarHeader({ name: "pallet.sqlite", sizeBytes: 2 ** 34, modifiedAt: 1 });

/** What a backup is made of, as it comes back. */
export const backups = [
  family<Buffer>({
    name: "backups: headers of archives",
    inputs: mutatedBytes(header, archive.subarray(0, tarBlockBytes)),
    check(bytes) {
      const read = unlessRefused(() => parseTarHeader(bytes));
      if (read === undefined || read.kind === "end") return;
      assert.ok(Number.isSafeInteger(read.sizeBytes) && read.sizeBytes >= 0);
      if (read.kind === "long-name") assert.ok(read.sizeBytes <= mostNameBytes);
    },
  }),
  family<Buffer>({
    name: "backups: long names",
    inputs: mutatedBytes(Buffer.from(`${"a/".repeat(60)}ä\0`)),
    check: (bytes) => void unlessRefused(() => parseLongName(bytes)),
  }),
  family<{ readonly bytes: Buffer; readonly pieceBytes: number }>({
    name: "backups: archives",
    inputs: fc.record({ bytes: mutatedBytes(archive), pieceBytes: fc.constantFrom(7, 512, 100_000) }),
    async check({ bytes, pieceBytes }) {
      const pieces = function* (): Generator<Uint8Array> {
        const step = Math.max(pieceBytes, Math.ceil(bytes.length / 2_000));
        for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
      };
      await unlessRejected(async () => {
        let total = 0;
        for await (const { sizeBytes, content } of readTar(pieces())) {
          let read = 0;
          for await (const piece of content()) read += piece.length;
          assert.equal(read, sizeBytes, "it takes a part for the whole");
          total += read;
        }
        assert.ok(total <= bytes.length, "more comes out of it than is in it");
      });
    },
  }),
  family<string>({
    name: "backups: names of files",
    inputs: mutatedText(
      [...Object.keys(files), "identity/former/ab12.pem", "config/hook-secrets/a", "profiles/a/b.yaml"],
      {
        words: ["..", "/", "../../etc/passwd", ".", "\0", "images/", "profiles/", "identity/", "config/hook-secrets/"],
      },
    ),
    check(name) {
      const part = partOf(name);
      if (part === undefined) return;
      assert.ok(mostBytesOf(part) > 0);
      const path = "path" in part ? part.path : "hook" in part ? part.hook : "file";
      for (const each of [path, ...("image" in part ? [part.image] : [])]) {
        assert.ok(!each.startsWith("/") && !each.includes("\0") && each !== "", each);
        assert.ok(
          each.split("/").every((one) => one !== ".." && one !== "." && one !== ""),
          each,
        );
      }
    },
  }),
  family<string>({
    name: "backups: what they say of themselves",
    inputs: mutatedText([about], { words: ['"format": 2', '"schema": 99', "null", "[]", "-1"] }),
    check(text) {
      const read = unlessRefused(() => parseAbout(text, 12));
      if (read !== undefined) assert.ok(read.format === backupFormat && read.schema <= 12);
    },
  }),
  family<string>({
    name: "backups: lists of digests",
    inputs: mutatedText([`${"ab".repeat(32)}  pallet.sqlite\n${"cd".repeat(32)}  images/a/image.zst\n`], {
      words: ["  ", "\n", "SHA256SUMS"],
    }),
    check(text) {
      for (const digest of unlessRefused(() => parseSums(text))?.values() ?? []) assert.match(digest, /^[0-9a-f]{64}$/);
    },
  }),
  family<string>({
    name: "backups: what is noted of the last one",
    inputs: mutatedText(['{"at":1,"path":"/var/backups/a","isRegular":true,"failure":{"at":2,"why":"full"}}'], {
      words: ["null", "true", "-1"],
    }),
    check: (text) => void parseLastKept(text),
  }),
];
