import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { readTar } from "../../../../../controller/backup/tar/read-tar.ts";
import { parseTarHeader, renderTarHeader, tarBlockBytes } from "../../../../../controller/backup/tar/tar-header.ts";
import { writeTar } from "../../../../../controller/backup/tar/write-tar.ts";
import { execa } from "../../../../../proto/linux/leashed-execa.ts";

const long = `profiles/${"a-long-folder/".repeat(20)}ä.yaml`;
const texts: Readonly<Record<string, string>> = { "first.json": "{}\n", [long]: "x".repeat(1000), empty: "" };

function membersOf(files: Readonly<Record<string, string>>) {
  return Object.entries(files).map(([name, text]) => {
    const bytes = Buffer.from(text);
    return { name, sizeBytes: bytes.length, content: () => [bytes] };
  });
}

async function archiveOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  return Buffer.concat(
    await Array.fromAsync(writeTar(membersOf(files), { sumsName: "SUMS", modifiedAt: 1_700_000_000 })),
  );
}

async function read(bytes: Uint8Array, pieceBytes = 100): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const pieces = function* (): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  };
  for await (const { name, content } of readTar(pieces()))
    found[name] = Buffer.concat(await Array.fromAsync(content())).toString("utf8");
  return found;
}

describe("an archive", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-tar-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("is read by Debian's tar and sha256sum as it was written: long names, empty files, its owner's alone", async () => {
    await execa("tar", ["-xpf", "-", "-C", folder], { input: await archiveOf(texts) });
    for (const [name, text] of Object.entries(texts))
      assert.equal(await readFile(path.join(folder, name), "utf8"), text);
    await execa("sha256sum", ["--check", "--strict", "SUMS"], { cwd: folder });
    const { stdout } = await execa("stat", ["--format=%a", path.join(folder, "empty")]);
    assert.equal(stdout, "600");
  });

  it("comes back as it was written, in whatever pieces", async () => {
    const archive = await archiveOf(texts);
    for (const pieceBytes of [1, 511, 512, 10_000]) {
      const { SUMS: sums, ...files } = await read(archive, pieceBytes);
      assert.deepEqual(files, texts);
      assert.match(sums ?? "", /^[0-9a-f]{64} {2}first\.json$/m);
    }
  });

  it("has files of more than 8 GiB, as tar does", async () => {
    const sizeBytes = 2 ** 35 + 5;
    const header = renderTarHeader({ name: "large", sizeBytes, modifiedAt: 1 });
    assert.deepEqual(parseTarHeader(header), { kind: "file", name: "large", sizeBytes });
    const { stdout } = await execa("tar", ["-tvf", "-"], { input: header, reject: false });
    assert.match(stdout, new RegExp(` ${sizeBytes} .* large$`));
  });

  it("is not written when a content has another size than it was said to have", async () => {
    for (const text of ["abc", "abcde"]) {
      const members = [{ name: "x", sizeBytes: 4, content: () => [Buffer.from(text)] }];
      await assert.rejects(Array.fromAsync(writeTar(members, { sumsName: "S", modifiedAt: 1 })), /x changed while/);
    }
  });

  it("that is cut off anywhere is refused", async () => {
    const archive = await archiveOf({ a: "x".repeat(600) });
    for (let end = 0; end < archive.length; end += 100)
      await assert.rejects(read(archive.subarray(0, end)), /cut off/, `${end} bytes`);
  });

  it("of anything else than files is refused: links, folders, devices, other formats, what follows its end", async () => {
    const strange = path.join(folder, "strange");
    await mkdir(path.join(strange, "folder"), { recursive: true });
    await writeFile(path.join(strange, "file"), "x");
    await symlink("/etc/passwd", path.join(strange, "link"));
    await execa("ln", [path.join(strange, "file"), path.join(strange, "hard")]);
    await execa("mkfifo", [path.join(strange, "pipe")]);
    const packed = async (...args: readonly string[]): Promise<Uint8Array> => {
      const { stdout } = await execa("tar", ["-cf", "-", "-C", strange, ...args], { encoding: "buffer" });
      return stdout;
    };
    for (const name of ["link", "folder", "pipe"])
      await assert.rejects(read(await packed("--format=gnu", name)), /something that is no file/, name);
    await assert.rejects(read(await packed("--format=gnu", "file", "hard")), /something that is no file \(type "1"\)/);
    await assert.rejects(read(await packed("--format=posix", "file")), /no archive of Pallet's form/);
    const archive = await archiveOf(texts);
    await assert.rejects(read(Buffer.concat([archive, Buffer.from("more")])), /something follows/);
    const damaged = Buffer.from(archive);
    damaged.write("b", 0);
    await assert.rejects(read(damaged), /damaged/);
    assert.deepEqual(parseTarHeader(Buffer.alloc(tarBlockBytes)), { kind: "end" });
  });
});
