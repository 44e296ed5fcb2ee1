import { Failure } from "../../proto/failure.ts";
import { findConfigProblems } from "../../proto/system/config/check-config.ts";
import type { SystemConfig } from "../../proto/system/system-config.ts";
import type { GivenValues } from "../hooks/hook.ts";
import { nothingPromised, type PromisedValues } from "../hooks/promised-values.ts";
import { buildConfig } from "./build-config.ts";
import { chooseProfiles, isFor, type ProfiledNode } from "./choose-profiles.ts";
import { digestConfig } from "./digest-config.ts";
import { findHookValues, findMissingSecrets, standIns } from "./hook-values.ts";
import { type Located, type Place, type Problem, renderProblem } from "./located.ts";
import { type NodeSystem, summaryOf } from "./node-system.ts";
import { placeOfField } from "./place-of-field.ts";
import type { Profile } from "./profile.ts";
import { systemShape } from "./profile-shape.ts";
import { type ReadProfiles, readProfiles } from "./read-profiles.ts";
import { readReferences } from "./read-references.ts";
import { renderProfiles } from "./render-profiles.ts";
import { selectReferences } from "./select-references.ts";
import { shareReadings } from "./share-readings.ts";
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
   *
   * @param given by the node's hooks; where it is not known yet, names stand for it. The digest is the same either way
   */
  systemFor(node: ProfiledNode, imageName: string, given?: GivenValues): Promise<NodeSystem | Failure | undefined>;
  /** The same, with everything that is wrong in its parts. */
  examine(node: ProfiledNode, imageName: string, given?: GivenValues): Promise<ExaminedSystem>;
}

/** What the hooks of a node will give. */
export type PromisedTo = (node: ProfiledNode) => PromisedValues;

/** What profiles say of one node. */
export interface ExaminedSystem {
  /** Absent where there are problems, and where they say nothing. */
  readonly system?: NodeSystem;
  readonly problems: readonly Problem[];
  /** Where the profiles say a field of the config. */
  readonly placeOf?: (field: string) => Place;
}

/** A config, with what it was built from; both absent where there are problems, and where profiles say nothing. */
interface Built {
  readonly made?: { readonly config: SystemConfig; readonly system: Located };
  readonly problems: readonly Problem[];
}

/**
 * The folder of profiles. Nothing of it is kept: it is read whenever it is asked for, once for all who ask at the same
 * time, as the nodes of a rollout do.
 */
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
 * @param promisedTo what hooks will give for a node
 */
export function createProfileFolder(
  directory: string,
  key: Uint8Array,
  promisedTo: PromisedTo = () => nothingPromised,
): ProfileFolder {
  const look = (): Promise<ReadProfiles> => readProfiles(directory);
  return {
    directory,
    look,
    setOf: (profiles) => createProfileSet(profiles, key, promisedTo),
    read: shareReadings(async () => {
      const { profiles, problems } = await look();
      if (problems.length > 0) throw profilesFailure(problems);
      return createProfileSet(profiles, key, promisedTo);
    }),
  };
}

function createProfileSet(profiles: readonly Profile[], key: Uint8Array, promisedTo: PromisedTo): ProfileSet {
  const choose: ProfileSet["choose"] = (node, imageName) => chooseProfiles(profiles, node, imageName);
  const build = async (node: ProfiledNode, imageName: string, given: GivenValues): Promise<Built> => {
    const { system, problems } = renderProfiles(
      choose(node, imageName),
      templateValuesOf(node, imageName, given.values),
    );
    if (system === undefined) return { problems };
    const { references, problems: misplaced } = selectReferences(system, systemShape);
    const { files, problems: unread } = await readReferences(references);
    const built = buildConfig(system, files, given.secrets);
    const unfit = findConfigProblems(built.config).map(({ field, problem }) => ({
      place: placeOfField(system, field),
      problem,
    }));
    const missing = findMissingSecrets(system, systemShape, given);
    const all = [...misplaced, ...unread, ...missing, ...built.problems, ...unfit];
    return { problems: all, ...(all.length === 0 && { made: { config: built.config, system } }) };
  };
  const examine: ProfileSet["examine"] = async (node, imageName, given) => {
    const promised = promisedTo(node);
    const planned = await build(node, imageName, standIns(promised));
    if (planned.made === undefined) return { problems: planned.problems };
    const { made, problems } = given === undefined ? planned : await build(node, imageName, given);
    if (made === undefined) return { problems };
    const chosen = choose(node, imageName);
    const { config, system } = planned.made;
    const names = chosen.map(({ name }) => name);
    const written = chosen.flatMap((profile) => profile.system ?? []);
    const fromHooks = findHookValues(written, system, systemShape, promised);
    return {
      system: {
        config: made.config,
        summary: summaryOf(config, digestConfig(config, key), names),
        ...(fromHooks.length > 0 && { fromHooks }),
      },
      problems,
      placeOf: (field) => placeOfField(system, field),
    };
  };
  return {
    profiles,
    choose,
    isFor,
    examine,
    async systemFor(node, imageName, given) {
      const { system, problems } = await examine(node, imageName, given);
      return problems.length > 0 ? nodeFailure(node, problems) : system;
    },
  };
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
