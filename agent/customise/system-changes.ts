import type { Stats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { limits } from "../../proto/limits.ts";
import { errorCodeOf } from "../../proto/linux/error-code-of.ts";
import { readInside, resolveInside } from "../../proto/linux/foreign-root.ts";
import { accountPaths, entriesOf } from "../../proto/system/config/account-files.ts";
import type { Edit, Owned } from "../../proto/system/config/edit.ts";
import type { Owner } from "./place-file.ts";
import { followUsualLinks } from "./usual-links.ts";

/** What will be at a path, without links on the way to it. */
export type Change = { readonly path: string } & (
  | { readonly kind: "file"; readonly content: Buffer; readonly mode: number; readonly owner: Owner }
  | ({ readonly kind: "folder"; readonly mode: number; readonly owner: Owner } & FolderTraits)
  | { readonly kind: "link"; readonly target: string; readonly owner: Owner }
  | { readonly kind: "remove" }
);

interface FolderTraits {
  readonly isNew: boolean;
  /** Whether there is a link, which has to go first; absent for false. */
  readonly replacesLink?: boolean;
}

/** A change whose owner may have a name that is known only when all accounts are made. */
type Pending =
  | { readonly kind: "file"; readonly content: Buffer; readonly mode: number; readonly owner: Owner | Owned }
  | ({ readonly kind: "folder"; readonly mode: number; readonly owner: Owner | Owned } & FolderTraits)
  | { readonly kind: "link"; readonly target: string; readonly owner: Owner | Owned }
  | { readonly kind: "remove" };

const systemOwner: Owner = { uid: 0, gid: 0 };
/** What /etc/skel has at most. */
const mostCopied = 500;
const accountFiles = Object.values(accountPaths);

/**
 * Works out what edits make of the root filesystem in a folder: nothing is written. In their order, folders before what
 * lies in them; what is as it should be already is left out, as far as that is seen.
 *
 * Throws a Failure: `invalid` or `unsupported` for what cannot be made there, `image-damaged` never; other errors as the
 * filesystem gives them.
 */
export async function workOutChanges(root: string, edits: readonly Edit[]): Promise<readonly Change[]> {
  const pending = new Map<string, Pending>();
  const texts = new Map<string, string | undefined>();
  for (const path of accountFiles) texts.set(path, await readText(root, path));
  const planned = (path: string) => texts.get(path);

  for (const edit of edits) await workOut(edit);
  const accounts = { passwd: planned(accountPaths.passwd) ?? "", group: planned(accountPaths.group) ?? "" };
  return [...pending].map(([path, change]): Change => {
    if (change.kind === "remove") return { path, ...change };
    return { path, ...change, owner: ownerOf(change.owner, accounts, path) };
  });

  async function workOut(edit: Edit): Promise<void> {
    switch (edit.kind) {
      case "require":
        if (!pending.has(edit.path) && (await resolveInside(root, edit.path)) === undefined)
          throw new Failure("unsupported", edit.otherwise);
        return;
      case "remove-matching": {
        // Of a path in it, so that a link at its own end is not followed either.
        const folder = dirname(await follow(`${edit.path}/*`));
        const names = await readdir(join(root, folder)).catch(ignoreAbsent);
        for (const name of names ?? []) if (edit.pattern.test(name)) await remove(`${folder}/${name}`);
        return;
      }
      case "remove":
        return remove(await follow(edit.path));
      case "link":
        return note(await follow(edit.path), { kind: "link", target: edit.target, owner: edit });
      case "file": {
        if (edit.isUnknown === true) throw new Failure("internal", `what is to be in ${edit.path} is not known`);
        const content = Buffer.from(edit.content);
        const path = await follow(edit.path);
        await note(path, { kind: "file", content, mode: edit.mode ?? 0o644, owner: edit });
        if (texts.has(edit.path)) texts.set(edit.path, content.toString("utf8"));
        return;
      }
      case "folder":
        return makeFolder(edit);
      case "amend":
        return amend(edit);
    }
  }

  async function amend(edit: Edit & { readonly kind: "amend" }): Promise<void> {
    const path = await placeOfText(root, edit.path);
    const earlier = pending.get(path);
    const found = await lookAt(path);
    const text = earlier?.kind === "file" ? earlier.content.toString("utf8") : await readText(root, path);
    const amended = edit.amend(text, planned);
    if (texts.has(edit.path)) texts.set(edit.path, amended ?? text);
    if (amended === undefined || amended === text) return;
    if (Buffer.byteLength(amended) > limits.config.systemFileBytes.most)
      throw new Failure("invalid", `${edit.path} would be longer than ${limits.config.systemFileBytes.most} bytes`);
    const isThere = found?.isFile() === true;
    await note(path, {
      kind: "file",
      content: Buffer.from(amended),
      mode: isThere ? found.mode & 0o7777 : (edit.mode ?? 0o644),
      owner: isThere ? { uid: found.uid, gid: found.gid } : { ...(edit.group !== undefined && { group: edit.group }) },
    });
  }

  async function makeFolder(edit: Edit & { readonly kind: "folder" }): Promise<void> {
    const path = await follow(edit.path);
    const there = await lookAt(path);
    const replacesLink = edit.replacesLink === true && there?.isSymbolicLink() === true;
    const found = replacesLink ? undefined : there;
    if (found !== undefined && !found.isDirectory())
      throw new Failure("invalid", `the image has something other than a folder at ${edit.path}`);
    const isNew = found === undefined && !pending.has(path);
    const owner = edit.owner === undefined && edit.group === undefined && found ? found : edit;
    await note(path, {
      kind: "folder",
      mode: edit.mode ?? (found ? found.mode & 0o7777 : 0o755),
      owner,
      isNew,
      ...(replacesLink && { replacesLink }),
    });
    if (isNew && edit.from !== undefined) await copyFolder(edit.from, path, edit);
  }

  /** Copies what is in a folder of the image: files, folders and links, and nothing else. */
  async function copyFolder(from: string, to: string, owner: Owned): Promise<void> {
    const source = await resolveInside(root, from);
    if (source === undefined) return;
    for (const name of await listTree(root, source)) {
      const place = `${source}/${name}`;
      const found = await lstat(join(root, place));
      const mode = found.mode & 0o7777;
      if (found.isDirectory()) await note(`${to}/${name}`, { kind: "folder", mode, owner, isNew: true });
      if (found.isSymbolicLink())
        await note(`${to}/${name}`, { kind: "link", target: await readlink(join(root, place)), owner });
      if (!found.isFile()) continue;
      if (found.size > limits.config.fileBytes.most)
        throw new Failure("invalid", `${place} of the image is longer than ${limits.config.fileBytes.most} bytes`);
      const content = await readInside(root, place, limits.config.fileBytes.most);
      if (content !== undefined) await note(`${to}/${name}`, { kind: "file", content, mode, owner });
    }
  }

  async function remove(path: string): Promise<void> {
    const found = await lookAt(path);
    if (found?.isDirectory() === true)
      throw new Failure("invalid", `the image has a folder at ${path}, where a file would be removed`);
    if (found === undefined) pending.delete(path);
    else set(path, { kind: "remove" });
  }

  async function note(path: string, change: Pending): Promise<void> {
    const found = await lookAt(path);
    if (change.kind !== "folder" && found?.isDirectory() === true)
      throw new Failure("invalid", `the image has a folder at ${path}, where a ${change.kind} would be`);
    await makeParents(path);
    set(path, change);
  }

  /** Whether a link is to give way to a folder at this path. */
  function isReplaced(path: string): boolean {
    const change = pending.get(path);
    return change?.kind === "folder" && change.replacesLink === true;
  }

  function follow(path: string): Promise<string> {
    return followUsualLinks(root, path, isReplaced);
  }

  /** What is at a path; nothing where a link leads to that gives way to a folder. */
  async function lookAt(path: string): Promise<Stats | undefined> {
    const parts = path.split("/").slice(1, -1);
    const parents = parts.map((_, depth) => `/${parts.slice(0, depth + 1).join("/")}`);
    return parents.some(isReplaced) ? undefined : look(root, path);
  }

  /** The folders on the way that are not there. */
  async function makeParents(path: string): Promise<void> {
    const parts = path.split("/").slice(1, -1);
    for (const depth of parts.keys()) {
      const parent = `/${parts.slice(0, depth + 1).join("/")}`;
      const earlier = pending.get(parent);
      if (earlier !== undefined && earlier.kind !== "folder")
        throw new Failure("invalid", `nothing can be placed at ${path} of the new system: ${parent} is no folder`);
      if (earlier === undefined && (await lookAt(parent)) === undefined)
        set(parent, { kind: "folder", mode: 0o755, owner: systemOwner, isNew: true });
    }
  }

  /** The last word on a path counts, at its place in the order; a folder stays in front of what is in it. */
  function set(path: string, change: Pending): void {
    const earlier = pending.get(path);
    if (change.kind === "folder" && earlier?.kind === "folder") {
      pending.set(path, { ...earlier, ...change, isNew: earlier.isNew || change.isNew });
      return;
    }
    pending.delete(path);
    pending.set(path, change);
  }
}

/**
 * Paths in a folder and the folders in it, folders before what lies in them. Not by readdir()'s own recursion, which
 * follows links.
 */
async function listTree(root: string, folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  const ahead = [""];
  for (let below = ahead.shift(); below !== undefined; below = ahead.shift()) {
    const place = join(root, folder, below);
    if (!(await lstat(place)).isDirectory()) continue;
    for (const name of (await readdir(place)).sort()) {
      const path = below === "" ? name : `${below}/${name}`;
      found.push(path);
      ahead.push(path);
    }
    if (found.length > mostCopied)
      throw new Failure("invalid", `${folder} of the image has more than ${mostCopied} files: nothing is copied of it`);
  }
  return found;
}

/** Bytes and files that changes need in a filesystem, at most: whole blocks, and what a folder takes. */
export function needOf(
  changes: readonly Change[],
  blockBytes: number,
): { readonly bytes: number; readonly files: number } {
  const blocks = changes.map((change) => {
    if (change.kind === "file") return Math.ceil(change.content.length / blockBytes) + 1;
    return change.kind === "remove" ? 0 : 1;
  });
  return {
    bytes: blocks.reduce((sum, each) => sum + each, 0) * blockBytes,
    files: blocks.filter((each) => each > 0).length,
  };
}

/** The numbers of an owner by the accounts of the new system. */
function ownerOf(
  owner: Owner | Owned,
  accounts: { readonly passwd: string; readonly group: string },
  path: string,
): Owner {
  if ("uid" in owner) return { uid: owner.uid, gid: owner.gid };
  const user = owner.owner === undefined ? undefined : numberOf(owner.owner, accounts.passwd, path);
  const group = owner.group === undefined ? undefined : numberOf(owner.group, accounts.group, path);
  const own = entriesOf(accounts.passwd).find((each) => Number(each[2]) === user)?.[3];
  return { uid: user ?? 0, gid: group ?? (user === undefined ? 0 : Number(own ?? user)) };
}

function numberOf(name: string, text: string, path: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const found = Number(entriesOf(text).find((each) => each[0] === name)?.[2]);
  if (Number.isSafeInteger(found) && found >= 0 && found < 2 ** 32 - 1) return found;
  throw new Failure("invalid", `${path} is to belong to ${name}, whom the new system does not know`);
}

/** Where a text that is to be amended is: a link at its end is followed inside the image, to a place without links. */
async function placeOfText(root: string, path: string): Promise<string> {
  const place = await followUsualLinks(root, path);
  if ((await look(root, place))?.isSymbolicLink() !== true) return place;
  const end = await resolveInside(root, path);
  if (end !== undefined) return end;
  throw new Failure("invalid", `the image has a link at ${path} that leads nowhere: it cannot be amended`);
}

/** The text of a file, byte for byte. Throws a Failure "invalid" for what no system's text is. */
async function readText(root: string, path: string): Promise<string | undefined> {
  const most = limits.config.systemFileBytes.most;
  const bytes = await readInside(root, path, most + 1);
  if (bytes === undefined) {
    if ((await look(root, path)) === undefined) return undefined;
    throw new Failure("invalid", `the image has no regular file at ${path}: it cannot be amended`);
  }
  if (bytes.length > most) throw new Failure("invalid", `${path} of the image is longer than ${most} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Failure("invalid", `${path} of the image is not UTF-8: it cannot be amended without harm`, { cause });
  }
}

async function look(root: string, path: string): Promise<Stats | undefined> {
  return lstat(join(root, path)).catch(ignoreAbsent);
}

function ignoreAbsent(error: unknown): undefined {
  const code = errorCodeOf(error);
  if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
}
