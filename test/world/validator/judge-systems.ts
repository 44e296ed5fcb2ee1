import type { Entry } from "../history/history.ts";
import type { EntryOf, Finding, Invariant } from "./finding.ts";
import { advance, contentsAt, createRackState, type RackState } from "./rack-state.ts";

/** An order that was sent when the profiles still said so may arrive so long after that, in milliseconds. */
const underWayMs = 30_000;
/** So long after the last task the controller has heard of it, in milliseconds. */
const hearingMs = 5 * 60_000;

type Profiles = EntryOf<"profiles">;

/** Whether systems are what the operator's profiles said, and what is said of their tasks is so. */
export function judgeSystems(history: readonly Entry[]): readonly Finding[] {
  const state = createRackState();
  const findings: Finding[] = [];
  const said: Profiles[] = [];
  /** By the edition. */
  const tasksOf = new Map<string, readonly string[]>();
  /** What became of each task last: by reimage and name. */
  const results = new Map<string, EntryOf<"task">>();
  const tasks = new Map<string, EntryOf<"tasks">>();
  /** For which reimage hooks have given what. */
  const gifts = new Map<string, string>();
  const givers = new Map<string, string>();
  const retries = retriesIn(history);
  const found = (invariant: Invariant, at: number, text: string): void => void findings.push({ invariant, at, text });

  function allSucceeded(reimage: string, config: string | undefined): boolean {
    return (tasksOf.get(config ?? "") ?? []).every((name) => results.get(`${reimage} ${name}`)?.is === "succeeded");
  }

  /** What profiles said at some moment of the time that ends now. */
  function saidWithin(ms: number, now: number): readonly Profiles[] {
    return said.filter((_, index) => (said[index + 1]?.at ?? Number.POSITIVE_INFINITY) >= now - ms);
  }

  function judgeStart({ reimage, rollout, node, config, image, at }: EntryOf<"reimage">): void {
    const now = saidWithin(0, at);
    if (!now.some((profiles) => !profiles.isBroken && configOf(profiles, image) === config))
      found("config-is-as-confirmed", at, `${reimage} is to make ${node} ${config ?? "what the image is"}`);
    const of = retries.get(rollout);
    const tried = [...state.reimages.values()].find((each) => each.rollout === of && each.node === node);
    if (of !== undefined && tried?.phase !== "failed" && tried?.phase !== "cancelled" && tried?.phase !== "lost")
      found("retry-spares-the-proved", at, `${rollout} tries ${node} again, which is ${tried?.phase} in ${of}`);
  }

  function judgeProof({ reimage, node, config, provedConfig, hasTasks, image, boot, at }: EntryOf<"reimage">): void {
    const wrong = (text: string): void =>
      found("config-is-as-confirmed", at, `${reimage} of ${node} is proved, ${text}`);
    if (provedConfig !== config) wrong(`with the config ${provedConfig}, and ${config} was confirmed`);
    const isHeld = contentsAt(state, node).some(
      (content) => content.kind === "image" && content.reimage === reimage && content.config === config,
    );
    if (!isHeld) wrong(`and no card holds ${image} as ${config} says`);
    const expected = (tasksOf.get(config ?? "") ?? []).length > 0;
    if (boot !== undefined && hasTasks !== expected)
      found("configured-is-true", at, `${reimage} of ${node} is proved, ${hasTasks ? "with" : "without"} tasks`);
  }

  function judgeTasks({ reimage, node, is, message = "", at }: EntryOf<"tasks">): void {
    const { config } = state.reimages.get(reimage) ?? {};
    if (is === "configured" && !allSucceeded(reimage, config))
      found("configured-is-true", at, `${node} is configured, and not all tasks of ${reimage} have succeeded`);
    const [, failed] = /its task (\S+) failed/.exec(message) ?? [];
    if (failed !== undefined && results.get(`${reimage} ${failed}`)?.is === "succeeded")
      found("configured-is-true", at, `${node} has failed by its task ${failed}, which has succeeded`);
  }

  for (const entry of history) {
    const isNew = entry.what === "reimage" && !state.reimages.has(entry.reimage);
    const isRepeated = entry.what === "reimage" && state.reimages.get(entry.reimage)?.phase === entry.phase;
    if (isNew) judgeStart(entry);
    advance(state, entry);
    switch (entry.what) {
      case "profiles":
        said.push(entry);
        tasksOf.set(entry.edition, entry.tasks);
        break;
      case "hook":
        if (entry.is === "begun") givers.set(entry.id, entry.reimage);
        else if (entry.gave !== undefined) gifts.set(entry.gave, givers.get(entry.id) ?? "");
        break;
      case "operation": {
        const asked = state.reimages.get(entry.reimage);
        const isSaid = saidWithin(underWayMs, entry.at).some(
          (profiles) => !profiles.isBroken && configOf(profiles, asked?.image ?? "") === asked?.config,
        );
        // Where nothing was confirmed, nothing is what is written.
        if (asked?.config !== undefined && !isSaid)
          found(
            "config-is-as-confirmed",
            entry.at,
            `${entry.operation} begins, and profiles do not say ${asked.config}`,
          );
        break;
      }
      case "whole": {
        const { content, card, reimage, at } = entry;
        const { config = undefined, gift = undefined } = content.kind === "image" ? content : {};
        if (gift !== undefined && gifts.get(gift) !== reimage)
          found("config-is-as-confirmed", at, `${card} has ${gift}, which no hook gave for ${reimage}`);
        const asked = state.reimages.get(reimage);
        if (asked !== undefined && config !== asked.config)
          found("config-is-as-confirmed", at, `${card} is ${config}, and ${asked.config} was confirmed`);
        break;
      }
      case "reimage":
        if (entry.phase === "proved" && !isRepeated) judgeProof(entry);
        break;
      case "task":
        results.set(`${entry.reimage} ${entry.task}`, entry);
        break;
      case "tasks":
        tasks.set(entry.reimage, entry);
        judgeTasks(entry);
        break;
      case "shown":
        findings.push(...judgeShown(entry, state, tasks));
        break;
      case "leak":
        found("secrets-stay-secret", entry.at, `a secret of the profiles is in ${entry.where}`);
        break;
      case "stands": {
        const content = state.contents.get(entry.card);
        if (entry.in !== "card" || content?.kind !== "image") break;
        const { reimage, config } = content;
        const known = state.reimages.get(reimage);
        if (known?.phase !== "proved" || known.node !== entry.mac) break;
        const last = Math.max(
          0,
          ...[...results.values()].filter((each) => each.reimage === reimage).map(({ at }) => at),
        );
        const hasTasks = (tasksOf.get(config ?? "") ?? []).length > 0;
        if (!hasTasks || !allSucceeded(reimage, config) || entry.at - last < hearingMs) break;
        if (tasks.get(reimage)?.is === "configured" || isReplaced(known, history)) break;
        const is = tasks.get(reimage)?.is ?? "not known";
        found("late-tasks-count", entry.at, `all tasks of ${reimage} of ${entry.mac} have succeeded, which are ${is}`);
        break;
      }
      default:
    }
  }
  return findings;
}

/** The config that profiles say for an image; undefined where they say nothing. */
function configOf({ edition, images }: Profiles, image: string): string | undefined {
  return edition === "none" || images?.includes(image) === false ? undefined : edition;
}

/** Which rollout each one tries again. */
function retriesIn(history: readonly Entry[]): ReadonlyMap<string, string> {
  const retries = new Map<string, string>();
  for (const entry of history)
    if (entry.what === "answered" && entry.request.ask === "retry")
      retries.set(entry.request.rollout, entry.request.of);
  return retries;
}

/** Whether the controller cannot know that the card still is what that reimage made. */
function isReplaced({ reimage, node }: EntryOf<"reimage">, history: readonly Entry[]): boolean {
  const at = history.findLastIndex((entry) => entry.what === "whole" && entry.reimage === reimage);
  return history
    .slice(at)
    .some((entry) => entry.what === "reimage" && entry.node === node && entry.verdict === "unknown");
}

function judgeShown(
  { rollout, state: is, at }: EntryOf<"shown">,
  state: RackState,
  tasks: ReadonlyMap<string, EntryOf<"tasks">>,
): readonly Finding[] {
  const reimages = [...state.reimages.values()].filter((each) => each.rollout === rollout && each.phase !== "lost");
  if (reimages.length === 0) return [];
  const isDone = reimages.every(
    ({ reimage, phase, hasTasks = false }) =>
      phase === "proved" && (!hasTasks || tasks.get(reimage)?.is === "configured"),
  );
  if (isDone === (is === "succeeded")) return [];
  const text = `${rollout} is ${is}, and its nodes are ${isDone ? "all" : "not all"} what they were to be`;
  return [{ invariant: "rollout-says-it", at, text }];
}
