import { createHash } from "node:crypto";
import { mkdir, open, readFile, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure, messageOf } from "../../proto/failure.ts";
import { limits } from "../../proto/limits.ts";
import { openAuthorityFiles } from "../identity/authority-files.ts";
import { checkStoredPack } from "../images/catalogue/check-stored-pack.ts";
import { parseManifest } from "../images/catalogue/parse-manifest.ts";
import { storeFiles } from "../images/import/import-image.ts";
import { prepareRestored, type RestoredDatabase } from "../store/restored-database.ts";
import type { BackupAbout } from "./about.ts";
import { type MemberPart, memberNames, mostBytesOf, partOf } from "./member-names.ts";
import { parseSums } from "./parse-sums.ts";
import type { ReadMember } from "./tar/read-tar.ts";

/** What is left free on a disk that a backup is unpacked to, in bytes. */
const spareBytes = 64 * 1024 * 1024;

/** A backup that is being unpacked beside what it is to replace. */
export interface Staging {
  /** On the disk of the state. */
  readonly folder: string;
  /** On the disk of the images; a folder for each. */
  readonly imageFolder: string;
  /** SHA-256 of what was unpacked, by name. */
  readonly sums: Map<string, string>;
  /** What the backup itself says that these are. */
  said?: ReadonlyMap<string, string>;
}

/** The file of a backup by this name. Throws a Failure (invalid) for one that no backup has, or that is too large for what it is. */
export function requirePart({ name, sizeBytes }: Pick<ReadMember, "name" | "sizeBytes">): MemberPart {
  const part = partOf(name);
  if (part === undefined)
    throw new Failure("invalid", `it holds ${JSON.stringify(name)}, which is no part of a backup`);
  const most = mostBytesOf(part);
  if (sizeBytes > most) throw new Failure("invalid", `${name} in it has ${sizeBytes} bytes, more than ${most}`);
  return part;
}

/** A small file of it as a whole. Throws as requirePart does. */
export async function takeText(staging: Staging, member: ReadMember): Promise<Buffer> {
  requirePart(member);
  const pieces: Uint8Array[] = [];
  for await (const piece of member.content()) pieces.push(piece);
  const text = Buffer.concat(pieces);
  note(staging, member.name, createHash("sha256").update(text).digest("hex"));
  return text;
}

/** Unpacks a file. Throws as requirePart does, when it was there already, and when the disk has no room for it. */
export async function stageMember(staging: Staging, member: ReadMember): Promise<void> {
  const part = requirePart(member);
  if (staging.said !== undefined) throw new Failure("invalid", `${member.name} comes after ${memberNames.sums} in it`);
  if (part.part === "sums") {
    const pieces: Uint8Array[] = [];
    for await (const piece of member.content()) pieces.push(piece);
    staging.said = parseSums(Buffer.concat(pieces).toString("utf8"));
    return;
  }
  const path = stagedPath(staging, part);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await assertRoom(dirname(path), member);
  const hash = createHash("sha256");
  const handle = await open(path, "wx", 0o600);
  try {
    for await (const piece of member.content()) {
      hash.update(piece);
      await handle.writeFile(piece);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  note(staging, member.name, hash.digest("hex"));
}

function note({ sums }: Staging, name: string, digest: string): void {
  if (sums.has(name)) throw new Failure("invalid", `${name} is in it twice`);
  if (sums.size >= limits.backups.members.most)
    throw new Failure("invalid", `it holds more than ${limits.backups.members.most} files`);
  sums.set(name, digest);
}

/** Where a file lies while it is unpacked. */
function stagedPath({ folder, imageFolder }: Staging, part: MemberPart): string {
  switch (part.part) {
    case "image":
      return join(imageFolder, part.image, part.path);
    case "hook-secret":
      return join(folder, "hook-secrets", part.hook);
    case "profile":
      return join(folder, "profiles", part.path);
    case "identity":
      return join(folder, "identity", part.path);
    default:
      return join(folder, part.part);
  }
}

async function assertRoom(folder: string, { name, sizeBytes }: ReadMember): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (sizeBytes + spareBytes <= bavail * bsize) return;
  throw new Failure(
    "device-error",
    `no space in ${folder} for ${name}: ${Math.ceil((sizeBytes + spareBytes) / 2 ** 20)} MiB are needed, ` +
      `${Math.floor((bavail * bsize) / 2 ** 20)} MiB are free`,
  );
}

/**
 * Holds what was unpacked against what the backup says of it, opens its database, its identity and each image, and notes in the
 * database that it was restored. Throws a Failure for whatever is missing, damaged or more than it says.
 */
export async function verifyStaged(staging: Staging, about: BackupAbout, now: number): Promise<RestoredDatabase> {
  const { sums, said, folder, imageFolder } = staging;
  if (said === undefined) throw new Failure("invalid", `it has no ${memberNames.sums}: it is not whole`);
  for (const [name, digest] of said) {
    const found = sums.get(name);
    if (found === undefined) throw new Failure("invalid", `${name} is missing in it`);
    if (found !== digest) throw new Failure("image-damaged", `${name} in it is damaged`, { expected: digest, found });
  }
  for (const name of sums.keys())
    if (!said.has(name)) throw new Failure("invalid", `${name} is in it, and nothing says with which digest`);
  for (const name of [memberNames.database, "identity/authority.pem", "identity/token.key"])
    if (!sums.has(name)) throw new Failure("invalid", `${name} is missing in it`);
  await (await openAuthorityFiles(join(folder, "identity"))).read();
  for (const { name, isIn } of about.images) if (isIn) await verifyImage(name, join(imageFolder, name));
  const takenAt = Date.parse(about.takenAt);
  return prepareRestored(join(folder, "database"), { schema: about.schema, takenAt, restoredAt: now });
}

async function verifyImage(name: string, folder: string): Promise<void> {
  try {
    const image = parseManifest(await readFile(join(folder, storeFiles.description), "utf8"));
    if (image.name !== name) throw new Failure("image-damaged", `it says that it is ${image.name}`);
    await checkStoredPack(image, join(folder, storeFiles.pack), join(folder, storeFiles.packManifest));
  } catch (error) {
    throw new Failure("image-damaged", `the image ${name} in it cannot be used: ${messageOf(error)}`, { cause: error });
  }
}
