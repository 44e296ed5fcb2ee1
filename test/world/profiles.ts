import { parseProfile } from "../../controller/profiles/parse-profile.ts";
import { createProfileFolder, type ProfileSet } from "../../controller/profiles/profile-folder.ts";
import type { ServeAdapters } from "../../controller/serving/serve-adapters.ts";
import { Failure } from "../../proto/failure.ts";
import type { SystemConfig } from "../../proto/system/system-config.ts";

/** What the operator's profiles may say; the same edition is the same config. */
export const profileEditions = [
  ...(["none", "plain 1", "plain 2", "tasks 1", "tasks 2", "tasks for new", "gifts", "gifts", "broken"] as const),
] as const;
export type ProfileEdition = (typeof profileEditions)[number];

/** The tasks of the editions that have some, in their order. */
const taskNames = ["first", "second"] as const;
/** How long each may take, in milliseconds. */
export const taskTimeoutMs = 300_000;
const passwordHash = "$6$canary$SecretOfTheWorld";
const tokenMark = "TokenOfTheWorld";
/** In every secret of the operator's systems; to be found nowhere but in the order to write. */
const canary = "OfTheWorld";

/** Whether there is a secret in it. */
export function leaks(what: { includes(text: string): boolean }): boolean {
  return what.includes(canary);
}

/** What a before-reimage hook answers for the edition "gifts". */
export const gives = { values: ["unit"], secrets: ["token"] } as const;
export function renderGift(unit: string): string {
  return JSON.stringify({ values: { unit }, secrets: { token: `${tokenMark} ${unit}` } });
}

/** Where a system says of which edition it is. */
const editionPath = "/etc/edition";
const unitPath = "/etc/unit";
const tokenPath = "/etc/token";

function textOf(edition: ProfileEdition): string {
  const tasks = taskNames.map((name) => `{name: ${name}, command: [/bin/true], timeout: ${taskTimeoutMs}ms}`);
  return [
    ...(edition === "tasks for new" ? ["match: {image: new}"] : []),
    "system:",
    // What is not known of a node fails its template.
    `  hostname: "${edition === "broken" ? "{{ labels.nowhere }}" : "{{ name }}"}"`,
    `  users: [{name: operator, passwordHash: "${passwordHash}"}]`,
    "  files:",
    `    - {path: ${editionPath}, content: "${edition}"}`,
    ...(edition === "gifts"
      ? [`    - {path: ${unitPath}, content: "{{ hook.unit }}"}`, `    - {path: ${tokenPath}, secretFrom: token}`]
      : []),
    ...(tasksOf(edition).length > 0 ? [`  tasks: [${tasks.join(", ")}]`] : []),
  ].join("\n");
}

/** The tasks of a system that is made by an edition. */
export function tasksOf(edition: ProfileEdition): readonly string[] {
  return edition.startsWith("tasks") || edition === "gifts" ? taskNames : [];
}

function fileIn(config: SystemConfig, wanted: string): string | undefined {
  const content = config.files?.find(({ path }) => path === wanted)?.content;
  return content?.kind === "file" ? new TextDecoder().decode(content.bytes) : undefined;
}

/** What a hook has given for a config; undefined where it has none of that. */
export function giftIn(config: SystemConfig): string | undefined {
  const [unit, token] = [fileIn(config, unitPath), fileIn(config, tokenPath)];
  return unit === undefined || token === `${tokenMark} ${unit}` ? unit : `${unit}, with another token`;
}

/** The edition of a config. */
export function editionOf(config: SystemConfig): ProfileEdition {
  const text = fileIn(config, editionPath);
  const edition = profileEditions.find((each) => each === text);
  if (edition === undefined) throw new Error(`no edition of the profiles has this config: ${text}`);
  return edition;
}

/** The operator's folder of profiles. */
export interface WorldProfiles {
  edition: ProfileEdition;
  /** Which edition has a config of that digest, as far as one was rendered. */
  editionOfDigest(digest: string): string;
  /** As one run of a controller sees it. Nothing is on a disk: what that takes is real time. */
  open: ServeAdapters["openProfiles"];
}

export function createWorldProfiles(edition: ProfileEdition): WorldProfiles {
  const digests = new Map<string, ProfileEdition>();

  function remembering(set: ProfileSet): ProfileSet {
    return {
      ...set,
      async systemFor(node, imageName, given) {
        const system = await set.systemFor(node, imageName, given);
        if (system !== undefined && !(system instanceof Failure))
          digests.set(system.summary.digest, editionOf(system.config));
        return system;
      },
    };
  }

  const own: WorldProfiles = {
    edition,
    editionOfDigest: (digest) => digests.get(digest) ?? "of no profile",
    open(directory, key, promisedTo) {
      const folder = createProfileFolder(directory, key, promisedTo);
      const sets = new Map<ProfileEdition, ProfileSet>();
      function current(): ProfileSet {
        const known = sets.get(own.edition);
        if (known !== undefined) return known;
        const made = remembering(folder.setOf(profilesOf(own.edition)));
        sets.set(own.edition, made);
        return made;
      }
      return {
        ...folder,
        read: async () => current(),
        look: async () => ({ profiles: current().profiles, problems: [] }),
      };
    },
  };
  return own;
}

function profilesOf(edition: ProfileEdition): ProfileSet["profiles"] {
  if (edition === "none") return [];
  const { profile, problems } = parseProfile(textOf(edition), "/profiles/world.yaml");
  if (profile === undefined) throw new Error(problems.map(({ problem }) => problem).join("\n"));
  return [profile];
}
