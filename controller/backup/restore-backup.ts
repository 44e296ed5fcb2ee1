import { createReadStream } from "node:fs";
import { mkdir, readFile, rmdir, stat } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import process from "node:process";
import { Failure, messageOf } from "../../proto/failure.ts";
import type { Config } from "../config/config.ts";
import { type ConfigInputs, configFileOf, configWith, readConfig } from "../config/read-config.ts";
import { clearUnfinished, withUnfinishedFolder } from "../images/catalogue/unfinished-folder.ts";
import { databaseIn, replaceState, stateIn } from "../store/replace-state.ts";
import { assertNotOpen } from "../store/restored-database.ts";
import { migrations } from "../store/schema.ts";
import { type BackupAbout, parseAbout } from "./about.ts";
import { partOf } from "./member-names.ts";
import { parseUserOfGroup } from "./parse-user-of-group.ts";
import { chooseImages, giveTo, type Owner, type Placed, placeFiles, placeImages, siteFilesOf } from "./place-files.ts";
import { type Staging, stageMember, takeText, verifyStaged } from "./stage-backup.ts";
import { type ReadMember, readTar } from "./tar/read-tar.ts";
import { decompress } from "./zstd-stream.ts";

/** What is to be restored, and where to. */
export interface RestoreRequest {
  readonly file: string;
  /** Whether a state that is there may be put aside. */
  readonly replace: boolean;
  /** Where this machine's configuration comes from. */
  readonly inputs: ConfigInputs;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What was restored. */
export interface Restored extends Placed {
  readonly about: BackupAbout;
  readonly stateDirectory: string;
  /** Where what was there before is; absent where nothing was. */
  readonly aside?: string;
  /** Who is let in from elsewhere from now on, with their roles. */
  readonly operators: readonly string[];
  /** Rollouts that the next start cancels. */
  readonly unended: readonly string[];
}

/**
 * Puts a backup in the place of this machine's state. Nothing of it is changed before all of the backup has been read and
 * checked. What an operator has written here (configuration, profiles, secrets) is left as it is, and what is missing of it is
 * placed. Rejects with a Failure that says what is wrong, and leaves the machine as it was.
 */
export async function restoreBackup(request: RestoreRequest): Promise<Restored> {
  const { file, replace, inputs } = request;
  const members = readTar(decompress(createReadStream(file, { highWaterMark: 1024 * 1024 })));
  try {
    const start = await readStart(members, inputs);
    const { stateDirectory, imageDirectory } = start.config;
    await assertNotServing(start.config);
    const owner = await assertOwn(stateDirectory);
    assertReplaceable(stateDirectory, replace);
    const made = await makeFolders([stateDirectory, imageDirectory], owner);
    try {
      await clearUnfinished(stateDirectory);
      return await withUnfinishedFolder(stateDirectory, (folder) =>
        withUnfinishedFolder(imageDirectory, (imageFolder) =>
          restoreInto({ ...start.staging, folder, imageFolder }, { ...request, ...start, owner }, members),
        ),
      );
    } catch (error) {
      for (const folder of made) await rmdir(folder).catch(() => undefined);
      throw error;
    }
  } catch (error) {
    if (error instanceof Failure)
      throw new Failure(error.reason, `cannot restore ${file}: ${error.message}`, { cause: error });
    throw new Failure("invalid", `cannot restore ${file}: ${messageOf(error)}`, { cause: error });
  } finally {
    await members.return(undefined);
  }
}

/** What a backup begins with: what it is, and the configuration. */
interface Start {
  readonly about: BackupAbout;
  readonly config: Config;
  readonly configText?: Buffer;
  readonly next: ReadMember;
  readonly staging: Pick<Staging, "sums">;
}

async function readStart(members: AsyncGenerator<ReadMember>, inputs: ConfigInputs): Promise<Start> {
  const staging: Staging = { folder: "", imageFolder: "", sums: new Map() };
  const next = async (): Promise<ReadMember> => {
    const { value, done } = await members.next();
    if (done === true) throw new Failure("invalid", "it ends too early");
    return value;
  };
  const first = await next();
  if (partOf(first.name)?.part !== "about") throw new Failure("invalid", "it is no backup of Pallet");
  const about = parseAbout((await takeText(staging, first)).toString("utf8"), migrations.length);
  let member = await next();
  let configText: Buffer | undefined;
  if (partOf(member.name)?.part === "config") {
    configText = await takeText(staging, member);
    member = await next();
  }
  const isConfigured = await stat(configFileOf(inputs)).then(
    () => true,
    () => false,
  );
  const config =
    isConfigured || configText === undefined
      ? await readConfig(inputs)
      : configWith(inputs, configText.toString("utf8"));
  return { about, config, next: member, staging, ...(configText && { configText }) };
}

async function restoreInto(
  staging: Staging,
  { about, config, configText, next, inputs, owner, now }: RestoreRequest & Start & { readonly owner: Owner },
  members: AsyncGenerator<ReadMember>,
): Promise<Restored> {
  const { folder, imageFolder } = staging;
  const { stateDirectory, imageDirectory } = config;
  await stageMember(staging, next);
  for await (const member of members) await stageMember(staging, member);
  const { mark, operators, unended } = await verifyStaged(staging, about, now);
  const images = await chooseImages(imageFolder, imageDirectory);
  const site = await siteFilesOf(folder, config);
  for (const each of [folder, imageFolder]) await giveTo(each, owner);
  // All of it is known to be good: from here on the machine is changed.
  const { placed, left } = await placeFiles(
    configText === undefined ? site : [{ content: configText, path: configFileOf(inputs) }, ...site],
    owner,
  );
  await placeImages(images, imageFolder, imageDirectory);
  const aside = join(stateDirectory, `replaced-${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "")}`);
  const before = stateIn(stateDirectory).length > 0;
  replaceState(stateDirectory, { database: join(folder, "database"), identity: join(folder, "identity"), mark }, aside);
  for (const name of stateIn(stateDirectory)) await giveTo(join(stateDirectory, name), owner);
  return { ...{ about, stateDirectory, operators, unended, placed, left, images }, ...(before && { aside }) };
}

async function assertNotServing({ socket, stateDirectory }: Config): Promise<void> {
  const answers = await new Promise<boolean>((resolve) => {
    const connection = connect(socket);
    connection.once("connect", () => resolve(true)).once("error", () => resolve(false));
    connection.once("connect", () => connection.destroy());
  });
  if (answers)
    throw new Failure(
      "invalid",
      `a controller runs here (${socket}): stop it first (systemctl stop pallet-controller), and start it afterwards`,
    );
  if (stateIn(stateDirectory).includes("pallet.sqlite")) assertNotOpen(databaseIn(stateDirectory));
}

/** Whose the state is, or will be. Throws a Failure for somebody who is neither its owner nor root. */
async function assertOwn(stateDirectory: string): Promise<Owner> {
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  const found = await stat(stateDirectory).catch(() => undefined);
  if (found === undefined) return { uid, gid };
  if (uid !== 0 && uid !== found.uid)
    throw new Failure(
      "not-permitted",
      `${stateDirectory} belongs to another user (uid ${found.uid}): run this as that user, or as root`,
    );
  // A folder of root's that a group makes files in: they are the user's whose group it is (controller/setup/files/pallet.tmpfiles).
  if (found.uid === 0 && (found.mode & sharedByGroup) === sharedByGroup) {
    const owner = parseUserOfGroup(await readFile("/etc/passwd", "utf8"), found.gid);
    if (owner !== undefined) return { uid: owner, gid: found.gid, readsSite: true };
  }
  return { uid: found.uid, gid: found.gid };
}

/** S_ISVTX and S_IWGRP. */
const sharedByGroup = 0o1020;

function assertReplaceable(stateDirectory: string, replace: boolean): void {
  const found = stateIn(stateDirectory);
  if (found.length === 0 || replace) return;
  throw new Failure(
    "invalid",
    `${stateDirectory} holds the state of a controller already (${found.slice(0, 3).join(", ")}): with --replace it is put ` +
      "aside, into a folder of its own",
  );
}

/** Makes those that are not there. Returns them, the innermost first. */
async function makeFolders(folders: readonly string[], owner: Owner): Promise<readonly string[]> {
  const made: string[] = [];
  for (const folder of folders) {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (first === undefined) continue;
    for (let each = folder; each.length >= first.length; each = dirname(each)) made.push(each);
    await giveTo(first, owner);
  }
  return made.toSorted((one, other) => other.length - one.length);
}
