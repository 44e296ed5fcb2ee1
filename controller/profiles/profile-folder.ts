import { Failure } from "../../proto/failure.ts";
import { findConfigProblems } from "../../proto/system/config/check-config.ts";
import type { SystemConfig } from "../../proto/system/system-config.ts";
import { buildConfig } from "./build-config.ts";
import { chooseProfiles, isFor, type ProfiledNode } from "./choose-profiles.ts";
import { digestConfig } from "./digest-config.ts";
import { type Place, type Problem, renderProblem } from "./located.ts";
import { type NodeSystem, summaryOf } from "./node-system.ts";
import { placeOfField } from "./place-of-field.ts";
import type { Profile } from "./profile.ts";
import { systemShape } from "./profile-shape.ts";
import { type ReadProfiles, readProfiles } from "./read-profiles.ts";
import { readReferences } from "./read-references.ts";
import { renderProfiles } from "./render-profiles.ts";
import { selectReferences } from "./select-references.ts";
import { templateValuesOf } from "./template-values.ts";

/** The profiles as they were read at one moment. */
export interface ProfileSet {
  /** In the order in which they are merged. */
  readonly profiles: readonly Profile[];
  /** Those that are for a node. */
  choose(node: ProfiledNode, imageName: string): readonly Profile[];
  /** Whether a profile is for a node, whatever image it gets. */
  isFor(profile: Profile, node: ProfiledNode): boolean;
  /**
   * What a node's system is to be with an image; undefined where no profile says anything of it. Reads the files that the
   * profiles name. Resolves with a Failure (invalid) that lists everything that is wrong for this node.
   */
  systemFor(node: ProfiledNode, imageName: string): Promise<NodeSystem | Failure | undefined>;
  /** The same, with everything that is wrong in its parts. */
  examine(node: ProfiledNode, imageName: string): Promise<ExaminedSystem>;
}

/** What profiles say of one node. */
export interface ExaminedSystem {
  /** Absent where there are problems, and where they say nothing. */
  readonly system?: NodeSystem;
  readonly problems: readonly Problem[];
  /** Where the profiles say a field of the config. */
  readonly placeOf?: (field: string) => Place;
}

/** The folder of profiles. Nothing of it is kept: it is read whenever it is asked for. */
export interface ProfileFolder {
  /** Absolute path. */
  readonly directory: string;
  /** Rejects with a Failure (invalid) that lists everything that is wrong in the folder. */
  read(): Promise<ProfileSet>;
  /** What is in the folder, and everything that is wrong with it. */
  look(): Promise<ReadProfiles>;
  /** Profiles that `look` has found, in which nothing is wrong. */
  setOf(profiles: readonly Profile[]): ProfileSet;
}

/**
 * The profiles in a folder.
 *
 * @param key of the digests, which only this controller has
 */
export function createProfileFolder(directory: string, key: Uint8Array): ProfileFolder {
  const look = (): Promise<ReadProfiles> => readProfiles(directory);
  return {
    directory,
    look,
    setOf: (profiles) => createProfileSet(profiles, key),
    async read() {
      const { profiles, problems } = await look();
      if (problems.length > 0) throw profilesFailure(problems);
      return createProfileSet(profiles, key);
    },
  };
}

function createProfileSet(profiles: readonly Profile[], key: Uint8Array): ProfileSet {
  const choose: ProfileSet["choose"] = (node, imageName) => chooseProfiles(profiles, node, imageName);
  const examine: ProfileSet["examine"] = async (node, imageName) => {
    const chosen = choose(node, imageName);
    const { system, problems } = renderProfiles(chosen, templateValuesOf(node, imageName));
    if (system === undefined) return { problems };
    const { references, problems: misplaced } = selectReferences(system, systemShape);
    const { files, problems: unread } = await readReferences(references);
    const built = buildConfig(system, files);
    const unfit = findConfigProblems(built.config).map(({ field, problem }) => ({
      place: placeOfField(system, field),
      problem,
    }));
    const all = [...misplaced, ...unread, ...built.problems, ...unfit];
    if (all.length > 0) return { problems: all };
    return {
      system: systemOf(built.config, chosen, key),
      problems: all,
      placeOf: (field) => placeOfField(system, field),
    };
  };
  return {
    profiles,
    choose,
    isFor,
    examine,
    async systemFor(node, imageName) {
      const { system, problems } = await examine(node, imageName);
      return problems.length > 0 ? nodeFailure(node, problems) : system;
    },
  };
}

function systemOf(config: SystemConfig, chosen: readonly Profile[], key: Uint8Array): NodeSystem {
  const names = chosen.map(({ name }) => name);
  return { config, summary: summaryOf(config, digestConfig(config, key), names) };
}

/** Every problem of the folder in one Failure, one line each. */
export function profilesFailure(problems: readonly Problem[]): Failure {
  return new Failure("invalid", listed("the profiles have", problems));
}

function nodeFailure({ name }: ProfiledNode, problems: readonly Problem[]): Failure {
  return new Failure("invalid", listed(`for ${name}, the profiles have`, problems));
}

function listed(begins: string, problems: readonly Problem[]): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return [`${begins} ${count}:`, ...problems.map((each) => `  ${renderProblem(each)}`)].join("\n");
}
