import { Failure } from "../../failure.ts";
import type { UserConfig } from "../system-config.ts";
import { linesOf, requireText, textOf } from "./amend-lines.ts";

// passwd(5), shadow(5), group(5), gshadow(5), subuid(5): the lines that a user needs. All other lines stay as they are,
// in their order, whatever they say.

/** The paths of the files. */
export const accountPaths = {
  passwd: "/etc/passwd",
  shadow: "/etc/shadow",
  group: "/etc/group",
  gshadow: "/etc/gshadow",
  subuid: "/etc/subuid",
  subgid: "/etc/subgid",
} as const;

/** First and last number of a person, as login.defs(5) has them everywhere (UID_MIN, UID_MAX). */
const ids = { first: 1000, last: 60_000 } as const;
/** First number, and how many, that useradd(8) hands to a user for containers. */
const subordinate = { first: 100_000, count: 65_536 } as const;

/** A password field that no password fits. Not "!", by which sshd(8) without PAM tells an account that is locked. */
const noPassword = "*";

/** A line of an account file, taken apart. */
type Fields = readonly string[];

/** The texts of passwd and group as far as they decide on the numbers of a new user. */
export interface Accounts {
  readonly passwd: string;
  readonly group: string;
}

/** passwd(5) with the user. `group` is as it was before the user. Throws a Failure "invalid" for a number that is taken. */
export function withPasswdEntry(
  text: string,
  user: UserConfig,
  { group, hasShadow, shell }: { readonly group: string; readonly hasShadow: boolean; readonly shell: string },
): string {
  requireText(text, accountPaths.passwd);
  const { name, uid, fullName, passwordHash } = user;
  const secret = hasShadow ? "x" : (passwordHash ?? noPassword);
  return withEntry(text, name, (found) => {
    if (found === undefined) {
      const number = uid ?? firstFree([...numbers(text), ...numbers(group)]);
      const owner = entries(text).find((each) => Number(each[2]) === number)?.[0];
      if (owner !== undefined)
        throw new Failure("invalid", `the user ${name} cannot have uid ${number}: in the image it is that of ${owner}`);
      return [name, secret, `${number}`, `${groupOf(name, number, group)}`, fullName ?? "", `/home/${name}`, shell];
    }
    if (uid !== undefined && found[2] !== String(uid))
      throw new Failure("invalid", `the user ${name} has uid ${found[2]} in the image, which cannot become ${uid}`);
    const [, password = "", number = "", gid = "", oldName = "", home = "", oldShell = ""] = found;
    return [
      name,
      // What is here counts before what shadow(5) has.
      passwordHash === undefined ? password : hasShadow ? "x" : passwordHash,
      ...[number, gid],
      fullName ?? oldName,
      home,
      user.shell ?? oldShell,
    ];
  });
}

/** shadow(5) with the user's password, or with one that none fits. */
export function withShadowEntry(text: string, { name, passwordHash, authorizedKeys }: UserConfig): string {
  requireText(text, accountPaths.shadow);
  return withEntry(text, name, (found) => {
    if (found === undefined) return [name, passwordHash ?? noPassword, "", "0", "99999", "7", "", "", ""];
    const [, password = "", changed = "", ...others] = found;
    // Locked, and without a password that could be unlocked: a key shall open it all the same.
    const isLocked = /^!+\*?$/.test(password) && (authorizedKeys?.length ?? 0) > 0;
    // "0" asks for a new password at the next login, which is not for the one that is given now.
    return [
      name,
      passwordHash ?? (isLocked ? noPassword : password),
      passwordHash !== undefined && changed === "0" ? "" : changed,
      ...others,
    ];
  });
}

/** group(5) with the user's own group, and the user in the others. `passwd` has the user already. */
export function withGroupEntries(text: string, { name, groups = [] }: UserConfig, passwd: string): string {
  requireText(text, accountPaths.group);
  const gid = entries(passwd).find((each) => each[0] === name)?.[3] ?? "";
  const hasGroup = entries(text).some((each) => each[2] === gid);
  const withOwn = hasGroup ? text : withEntry(text, name, (found) => found ?? [name, "x", gid, ""]);
  return groups.reduce((all, group) => withMember(all, group, name, 4), withOwn);
}

/** gshadow(5), likewise. `group` has them already. */
export function withGshadowEntries(text: string, { name, groups = [] }: UserConfig, group: string): string {
  requireText(text, accountPaths.gshadow);
  const isInGroup = entries(group).some((each) => each[0] === name);
  const withOwn = isInGroup ? withEntry(text, name, (found) => found ?? [name, "!", "", ""]) : text;
  return groups.reduce((all, each) => withMember(all, each, name, 4), withOwn);
}

/** subuid(5) or subgid(5) with numbers for the user, behind those of all others. */
export function withSubordinates(text: string, name: string, path: string): string {
  requireText(text, path);
  return withEntry(text, name, (found) => {
    if (found !== undefined) return found;
    const ends = entries(text).map((each) => Number(each[1]) + Number(each[2]));
    const start = Math.max(subordinate.first, ...ends.filter(Number.isSafeInteger));
    return [name, String(start), String(subordinate.count)];
  });
}

/** Users or groups of a text, as far as their lines are whole. */
export function entriesOf(text: string): readonly Fields[] {
  return entries(text);
}

function entries(text: string): Fields[] {
  return linesOf(text)
    .map(fieldsOf)
    .filter((each): each is Fields => each !== undefined);
}

/** Undefined for what names nobody: comments, and the lines of NIS ("+", "-": nsswitch.conf(5), compat). */
function fieldsOf(line: string): Fields | undefined {
  const fields = line.split(":");
  return /^[^#+\-\s]/.test(line) && fields.length > 1 ? fields : undefined;
}

/** The text with the entry of a name changed, or made in front of the lines of NIS, at which reading may end. */
function withEntry(text: string, name: string, change: (found: Fields | undefined) => Fields): string {
  const lines = [...linesOf(text)];
  const at = lines.findIndex((line) => fieldsOf(line)?.[0] === name);
  const found = lines[at] === undefined ? undefined : fieldsOf(lines[at]);
  const changed = change(found).join(":");
  if (at >= 0) {
    if (lines[at] === changed) return text;
    lines[at] = changed;
  } else {
    const nis = lines.findIndex((line) => /^[+-]/.test(line));
    lines.splice(nis < 0 ? lines.length : nis, 0, changed);
  }
  return textOf(lines);
}

function withMember(text: string, group: string, member: string, fieldCount: number): string {
  if (!entries(text).some((each) => each[0] === group)) return text;
  return withEntry(text, group, (found = []) => {
    const fields = [...found, "", "", ""].slice(0, Math.max(fieldCount, found.length));
    const members = (fields[fieldCount - 1] ?? "").split(",").filter((each) => each !== "");
    if (members.includes(member)) return found;
    fields[fieldCount - 1] = [...members, member].join(",");
    return fields;
  });
}

/** The number of the group that a new user gets: that of the group of its name, its own number, or the first free one. */
function groupOf(name: string, uid: number, group: string): number {
  const groups = entries(group);
  const own = groups.find((each) => each[0] === name)?.[2];
  if (own !== undefined) return Number(own);
  const taken = numbers(group);
  return taken.includes(uid) ? firstFree(taken) : uid;
}

function numbers(text: string): readonly number[] {
  return entries(text).map((each) => Number(each[2]));
}

function firstFree(taken: readonly number[]): number {
  const all = new Set(taken);
  for (let id: number = ids.first; id <= ids.last; id++) if (!all.has(id)) return id;
  throw new Failure("invalid", `the image has no free number for a user between ${ids.first} and ${ids.last}`);
}
