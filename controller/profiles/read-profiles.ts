import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { limits } from "../../proto/limits.ts";
import { compareNames } from "../../proto/names/natural-order.ts";
import { describeUnreadable } from "../refusal/unreadable.ts";
import { inOrder } from "./choose-profiles.ts";
import { findLiteralProblems } from "./find-literal-problems.ts";
import type { Problem } from "./located.ts";
import { type ParsedProfile, parseProfile } from "./parse-profile.ts";
import type { Profile } from "./profile.ts";
import { systemShape } from "./profile-shape.ts";
import { noText, readBounded, utf8Of } from "./read-bounded.ts";
import { readReferences } from "./read-references.ts";
import { selectReferences } from "./select-references.ts";

/** The profiles of a folder. */
export interface ReadProfiles {
  /** In the order in which they are merged; those that can be read, where there are problems. */
  readonly profiles: readonly Profile[];
  readonly problems: readonly Problem[];
}

/**
 * Reads every profile of a folder: the files *.yaml and *.yml in it. A folder that is not there has none. What is wrong with
 * any of them, or with a file that one names, is a problem; all of them are told.
 */
export async function readProfiles(directory: string): Promise<ReadProfiles> {
  const problems: Problem[] = [];
  const profiles: Profile[] = [];
  const whole = { file: directory, field: "" };
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT")
      problems.push({ place: whole, problem: describeUnreadable(directory, error.code ?? "") });
    return [];
  });
  const files = names.filter((name) => /^[^.].*\.ya?ml$/.test(name)).toSorted(compareNames);
  const most = limits.profiles.files.most;
  if (files.length > most)
    return { profiles, problems: [{ place: whole, problem: `has ${files.length} profiles; give at most ${most}` }] };
  for (const name of files) {
    const file = join(directory, name);
    const text = await readText(file);
    if (typeof text !== "string") {
      problems.push({ place: { file, field: "" }, problem: text.problem });
      continue;
    }
    const parsed = parseProfile(text, file);
    problems.push(...parsed.problems, ...(await examineSystem(parsed)));
    if (parsed.profile === undefined) continue;
    const { profile } = parsed;
    const same = profiles.find((other) => other.name === profile.name);
    if (same === undefined) profiles.push(profile);
    else
      problems.push({
        place: { file, field: "name" },
        problem: `${same.file} is called ${profile.name} already; give one of them another name`,
      });
  }
  return { profiles: profiles.toSorted(inOrder), problems };
}

/** What is wrong with what a profile says, and with the files that it names, whatever the node. */
async function examineSystem({ system, problems }: ParsedProfile): Promise<readonly Problem[]> {
  if (system === undefined) return [];
  const { references, problems: misplaced } = selectReferences(system, systemShape);
  const { files, problems: unread } = await readReferences(references);
  const named = [...misplaced, ...unread];
  return [...named, ...findLiteralProblems(system, files, [...problems, ...named])];
}

/** A profile may be a link: whoever keeps its folder may have it elsewhere. */
async function readText(file: string): Promise<string | { readonly problem: string }> {
  const most = limits.profiles.fileBytes.most;
  const read = await readBounded(file, ({ size }) =>
    size > most ? `has ${size} bytes; a profile has at most ${most}` : undefined,
  );
  if (typeof read === "string") return { problem: read };
  return utf8Of(read) ?? { problem: noText };
}
