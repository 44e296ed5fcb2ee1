import { type FileHandle, open } from "node:fs/promises";
import { Failure } from "../../../proto/failure.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { maxUploadChunkBytes } from "../../../proto/upload-limits.ts";
import { createPiecePool, type PiecePool } from "../../uploads/piece-pool.ts";
import { handFile, openUploadConnection, type UploadConnection } from "../../uploads/upload-connection.ts";
import { fileSocketOf, uploadSocketOf } from "../../uploads/upload-socket.ts";
import type { CommandContext } from "./command-context.ts";

/** Bytes to send, and how many there are; 0 if unknown. */
export interface UploadSource {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly fileBytes: number;
  /** Where it has to be fetched first: says to whom to tell, in a sentence, that the way to it broke and it goes on. */
  readonly tellTrouble?: (to: (sentence: string) => void) => void;
  /** Takes back a piece that nobody needs any more, where its memory is used again. */
  readonly release?: (piece: Uint8Array) => void;
  /** Of the open file, whose bytes are all of these: a controller of this machine can read it by itself. */
  readonly descriptor?: number;
  close(): Promise<void>;
}

/** What to do with a folder: refuse it, saying what to give instead, or send it as a tar archive. */
export type FolderPolicy = { readonly refuse: string } | "archive";

/** Opens a file to send, or stdin for "-". Throws Failure `invalid` if it cannot be read. */
export async function openUpload(file: string, context: CommandContext, folder: FolderPolicy): Promise<UploadSource> {
  if (file === "-") return { bytes: context.effects.stdin.bytes(), fileBytes: 0, close: () => Promise.resolve() };
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, "r");
  } catch (cause) {
    throw new Failure("invalid", `cannot open ${file}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  const stat = await handle.stat();
  if (stat.isDirectory()) {
    await handle.close();
    if (folder === "archive") return archiveOf(file);
    throw new Failure("invalid", `${file} is a folder: ${folder.refuse}`);
  }
  const close = () => handle.close();
  // A device or a named pipe reports no size.
  if (!stat.isFile())
    return {
      bytes: handle.createReadStream({ highWaterMark: maxUploadChunkBytes, autoClose: false }),
      fileBytes: 0,
      close,
    };
  const pool = createPiecePool();
  return {
    bytes: unchanged(handle, file, pool),
    fileBytes: stat.size,
    release: pool.release,
    descriptor: handle.fd,
    close,
  };
}

async function* piecesOf(handle: FileHandle, pool: Pick<PiecePool, "take">): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; ) {
    const piece = pool.take();
    const { bytesRead } = await handle.read(piece, 0, piece.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield piece.subarray(0, bytesRead);
  }
}

/**
 * The bytes of a file. Throws Failure `invalid` at the end, so that nothing is made of them, if the file was changed
 * since it was opened: part of them may be the old content and part the new one. The time of the last change of the
 * inode counts too, because nobody can set it back.
 */
async function* unchanged(handle: FileHandle, file: string, pool: Pick<PiecePool, "take">): AsyncGenerator<Uint8Array> {
  const stateOf = async () => {
    const { size, mtimeNs, ctimeNs } = await handle.stat({ bigint: true });
    return `${size} bytes, changed at ${mtimeNs} ns, its inode at ${ctimeNs} ns`;
  };
  const expected = await stateOf();
  yield* piecesOf(handle, pool);
  const found = await stateOf();
  if (found === expected) return;
  throw new Failure(
    "invalid",
    `${file} was changed while it was being read, so nothing was made of it: wait until what writes it is finished, ` +
      "and run this command again",
    { expected, found },
  );
}

/** Everything in a folder, with owners, modes, times, links, devices and extended attributes, by tar(1). */
function archiveOf(folder: string): UploadSource {
  const child = execa(
    "tar",
    [
      ...["--create", "--format=posix", "--sparse", "--numeric-owner", "--one-file-system"],
      ...["--xattrs", "--xattrs-include=*", "--acls", "--directory", folder, "."],
    ],
    {
      buffer: { stdout: false, stderr: true },
      encoding: "buffer",
      env: { LC_ALL: "C.UTF-8" },
      stdin: "ignore",
      reject: false,
    },
  );
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    yield* child.stdout as AsyncIterable<Buffer>;
    const result = await child;
    if (result.exitCode === 0) return;
    const said = Buffer.from(result.stderr).toString("utf8").trim().split("\n").slice(0, 3).join("; ");
    throw new Failure("invalid", `cannot read all of ${folder} (run this command as root?): ${said}`, {
      cause: result,
    });
  };
  return {
    bytes: bytes(),
    fileBytes: 0,
    async close() {
      child.kill();
      // What nobody reads any more never ends, and with it the process would not either.
      child.stdout.destroy();
      await child;
    },
  };
}

/** The requests of a call that uploads a file. */
type UploadMessage<Header> = {
  part: { $case: "header"; value: Header } | { $case: "chunk"; value: Uint8Array };
};

/** Makes a call that uploads a file, in the cheapest way that the controller has for its bytes. */
export async function withUpload<Header extends { readonly upload?: string | undefined }, Result>(
  { target }: Pick<CommandContext, "target">,
  header: Header,
  source: UploadSource,
  call: (messages: AsyncIterable<UploadMessage<Header>>) => Promise<Result>,
): Promise<Result> {
  const connection = await connectForUpload(target, source);
  try {
    return await call(uploadMessages(header, source, connection));
  } finally {
    connection?.close();
  }
}

/** A connection on which a file goes: its bytes are to be sent, unless the controller has the file itself. */
type FileConnection = Pick<UploadConnection, "token" | "close"> & Partial<Pick<UploadConnection, "send">>;

/**
 * The connection on which a file goes to a controller of this machine, without messages around its bytes; undefined for
 * one elsewhere, and for one that is older than such connections.
 *
 * @param target where the controller is, as gRPC reads it
 */
async function connectForUpload(
  target: string,
  { descriptor }: Pick<UploadSource, "descriptor">,
): Promise<FileConnection | undefined> {
  const [, socket] = /^unix:(.+)$/.exec(target) ?? [];
  if (socket === undefined) return undefined;
  const handed = descriptor === undefined ? undefined : await handFile(fileSocketOf(socket), descriptor);
  return handed ?? openUploadConnection(uploadSocketOf(socket));
}

/** The messages of a call that uploads a file: its header, then its bytes in chunks, unless a connection brings them. */
export async function* uploadMessages<Header extends { readonly upload?: string | undefined }>(
  header: Header,
  source: UploadSource,
  connection: FileConnection | undefined,
): AsyncGenerator<UploadMessage<Header>> {
  yield { part: { $case: "header", value: { ...header, upload: connection?.token } } };
  if (connection !== undefined) {
    await connection.send?.(source);
    return;
  }
  for await (const bytes of source.bytes) {
    for (let start = 0; start < bytes.length; start += maxUploadChunkBytes) {
      yield { part: { $case: "chunk", value: bytes.subarray(start, start + maxUploadChunkBytes) } };
    }
  }
}
