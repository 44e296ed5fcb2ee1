import { readFile, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { limits } from "../../proto/limits.ts";
import { errorCodeOf } from "../../proto/linux/error-code-of.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { Hook } from "../hooks/hook.ts";
import { clearUnfinished, withUnfinishedFolder } from "../images/catalogue/unfinished-folder.ts";
import { Refusal } from "../refusal/refusal.ts";
import { databaseIn } from "../store/replace-state.ts";
import { type BackupAbout, backupFormat, renderAbout } from "./about.ts";
import type { BackupRequest, OpenBackup } from "./backups.ts";
import { fileMember, filesBelow, textMember } from "./file-member.ts";
import { memberFolders, memberNames } from "./member-names.ts";
import { type TarMember, writeTar } from "./tar/write-tar.ts";
import { compress } from "./zstd-stream.ts";

/** What is left free of the disk that the copy of the database is made on, in bytes: the controller goes on to write there. */
const spareBytes = 64 * 1024 * 1024;

/** What a backup is made of. */
export interface BackupSources {
  readonly version: string;
  readonly clock: Pick<Clock, "now">;
  readonly stateDirectory: string;
  readonly imageDirectory: string;
  readonly profileDirectory: string;
  /** The config file; it need not be there. */
  readonly configFile: string;
  readonly hooks: readonly Hook[];
  readonly store: {
    readonly schemaVersion: number;
    /** Copies the database to a new file, as it is at one moment, while it is written to. */
    copyTo(path: string): Promise<void>;
  };
  authority(): string;
  nodes(): number;
  images(): Promise<readonly { readonly name: string; readonly digest: string }[]>;
}

/**
 * Takes a backup: a consistent copy of the database first, then what only changes when somebody says so. Rejects with a Refusal
 * (exhausted) where there is no room for the copy.
 */
export async function openBackup(
  sources: BackupSources,
  { withImages }: BackupRequest,
  signal: AbortSignal,
): Promise<OpenBackup> {
  const { stateDirectory, store, clock } = sources;
  await clearUnfinished(stateDirectory);
  await assertRoom(stateDirectory);
  const folder = await openUnfinished(stateDirectory);
  try {
    const database = join(folder.path, "pallet.sqlite");
    const takenAt = clock.now();
    await store.copyTo(database);
    signal.throwIfAborted();
    // After the database: a certificate that it knows of has its authority in the backup.
    const identity = await identityMembers(join(stateDirectory, "identity"));
    const site = await siteMembers(sources);
    const images = await sources.images();
    const inside = withImages ? await imageMembers(sources.imageDirectory, images) : { members: [], leftOut: [] };
    const about: BackupAbout = {
      format: backupFormat,
      pallet: sources.version,
      schema: store.schemaVersion,
      takenAt: new Date(takenAt).toISOString(),
      authority: sources.authority(),
      nodes: sources.nodes(),
      images: images.map(({ name, digest }) => ({ name, digest, isIn: withImages })),
      leftOut: [...site.leftOut, ...inside.leftOut],
    };
    const members = [
      textMember(memberNames.about, renderAbout(about)),
      ...site.members,
      ...identity,
      await fileMember(memberNames.database, database),
      ...inside.members,
    ];
    const modifiedAt = Math.floor(takenAt / 1000);
    const bytes = compress(writeTar(members, { sumsName: memberNames.sums, modifiedAt }));
    return { about, bytes, close: folder.close };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

/** `withUnfinishedFolder` for what outlives a call. */
async function openUnfinished(
  directory: string,
): Promise<{ readonly path: string; readonly close: () => Promise<void> }> {
  const opened = Promise.withResolvers<string>();
  const done = Promise.withResolvers<void>();
  const whole = withUnfinishedFolder(directory, async (path) => {
    opened.resolve(path);
    await done.promise;
  });
  whole.catch(opened.reject);
  return {
    path: await opened.promise,
    async close() {
      done.resolve();
      await whole;
    },
  };
}

async function assertRoom(stateDirectory: string): Promise<void> {
  const [{ size }, { bavail, bsize }] = await Promise.all([stat(databaseIn(stateDirectory)), statfs(stateDirectory)]);
  const free = bavail * bsize;
  if (free >= size + spareBytes) return;
  throw new Refusal(
    "exhausted",
    `no space in ${stateDirectory} for a copy of the database: ${Math.ceil((size + spareBytes) / 2 ** 20)} MiB are needed, ` +
      `${Math.floor(free / 2 ** 20)} MiB are free; free some space`,
  );
}

async function identityMembers(folder: string): Promise<readonly TarMember[]> {
  const { files } = await filesBelow(folder);
  const own = files.filter((path) => /^(authority\.pem|token\.key|former\/[0-9a-f]+\.pem)$/.test(path));
  // Small, and replaced by renaming: read now, so that all are of one moment.
  return Promise.all(
    own.map(async (path) => textMember(`${memberFolders.identity}${path}`, await readFile(join(folder, path)))),
  );
}

interface Members {
  readonly members: readonly TarMember[];
  readonly leftOut: readonly string[];
}

/** What the operator has written: configuration, profiles, and the secrets that the configuration names. */
async function siteMembers({ configFile, profileDirectory, hooks }: BackupSources): Promise<Members> {
  const members: TarMember[] = [];
  const leftOut: string[] = [];
  const add = async (name: string, path: string): Promise<void> => {
    try {
      const { size } = await stat(path);
      const most = limits.backups.fileBytes.most;
      if (size > most) leftOut.push(`${path}, which has more than ${most} bytes`);
      else members.push(textMember(name, await readFile(path)));
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === undefined) throw error;
      if (code !== "ENOENT" || name !== memberNames.config) leftOut.push(`${path}, which cannot be read (${code})`);
    }
  };
  await add(memberNames.config, configFile);
  for (const { name, action } of hooks) {
    if (action.kind === "webhook") await add(`${memberFolders.hookSecrets}${name}`, action.secretFile);
    else leftOut.push(`${action.command[0]}, which hook ${name} runs`);
  }
  const profiles = await filesBelow(profileDirectory);
  for (const path of profiles.files) await add(`${memberFolders.profiles}${path}`, join(profileDirectory, path));
  return { members, leftOut: [...leftOut, ...profiles.leftOut] };
}

async function imageMembers(directory: string, images: readonly { readonly name: string }[]): Promise<Members> {
  const members: TarMember[] = [];
  const leftOut: string[] = [];
  for (const { name } of images) {
    const found = await filesBelow(join(directory, name), { hidden: true });
    leftOut.push(...found.leftOut);
    for (const path of found.files)
      members.push(await fileMember(`${memberFolders.images}${name}/${path}`, join(directory, name, path)));
  }
  return { members, leftOut };
}
