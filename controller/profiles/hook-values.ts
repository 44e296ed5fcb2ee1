import { Failure } from "../../proto/failure.ts";
import type { GivenValues } from "../hooks/hook.ts";
import type { PromisedValues } from "../hooks/promised-values.ts";
import { isTemplateText } from "./is-template.ts";
import type { Located, Problem } from "./located.ts";
import type { Shape } from "./shape.ts";
import { hookValuesIn, noHookGives } from "./templates.ts";

/*
 * What before-reimage hooks give is known at the write alone, and may be another each time. Until then, and in the digest of a
 * config, its name stands for it: so a plan can be made and confirmed, and a node is not another because its token is.
 */

/** Something that a system gets from a hook. */
export interface FromHook {
  readonly kind: "value" | "secret";
  /** Of what is given. */
  readonly name: string;
  /** Which hook gives it. */
  readonly hook: string;
}

/** What stands for what a hook gives, where that is not known yet. */
export function standInFor(name: string): string {
  return `(${name} from a hook)`;
}

/** What hooks will give, with stand-ins for what that is. */
export function standIns({ values, secrets }: PromisedValues): GivenValues {
  const by = (names: Iterable<string>) => Object.fromEntries([...names].map((name) => [name, standInFor(name)]));
  return { values: by(values.keys()), secrets: by(secrets.keys()) };
}

/** Where a profile uses what hooks give although it may not: where not any text will do, a plan could not tell what is refused. */
export function findMisplacedHookValues(value: Located | undefined, shape: Shape): readonly Problem[] {
  return textsIn(value, shape).flatMap(({ place, text, of }) => {
    if (of.takesHookValues === true || !isTemplateText(text)) return [];
    return namesIn(text).length === 0
      ? []
      : [
          {
            place,
            problem:
              "what a hook gives is known at the write alone, and does not go here; it goes into a file's content, and into a task's command, script and environment",
          },
        ];
  });
}

/** What profiles get from hooks, each once. */
export function findHookValues(
  profiles: readonly Located[],
  system: Located,
  shape: Shape,
  promised: PromisedValues,
): readonly FromHook[] {
  const values = profiles.flatMap((profile) =>
    textsIn(profile, shape).flatMap(({ text }) => (isTemplateText(text) ? namesIn(text) : [])),
  );
  const secrets = textsIn(system, shape).flatMap(({ text, of }) => (of.namesHookSecret === true ? [text] : []));
  const from = (kind: "value" | "secret", names: readonly string[], by: ReadonlyMap<string, string>): FromHook[] =>
    [...new Set(names)].sort().flatMap((name) => {
      const hook = by.get(name);
      return hook === undefined ? [] : [{ kind, name, hook }];
    });
  return [...from("value", values, promised.values), ...from("secret", secrets, promised.secrets)];
}

/** The secrets of hooks that a system needs and nobody gives. */
export function findMissingSecrets(system: Located, shape: Shape, { secrets }: GivenValues): readonly Problem[] {
  return textsIn(system, shape).flatMap(({ place, text, of }) =>
    of.namesHookSecret !== true || Object.hasOwn(secrets, text)
      ? []
      : [{ place, problem: noHookGives("secret", text) }],
  );
}

interface ShapedText {
  readonly place: Located["place"];
  readonly text: string;
  readonly of: Shape & { readonly kind: "text" };
}

/** Every text in a value for which its shape has one. */
function textsIn(value: Located | undefined, shape: Shape | undefined): readonly ShapedText[] {
  if (value === undefined || shape === undefined) return [];
  if (value.kind === "map") {
    if (shape.kind !== "map" && shape.kind !== "record") return [];
    return [...value.entries].flatMap(([name, entry]) => {
      if (shape.kind === "record") return textsIn(entry, shape.of);
      return textsIn(entry, Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined);
    });
  }
  if (value.kind === "list") return shape.kind === "list" ? value.items.flatMap((item) => textsIn(item, shape.of)) : [];
  if (shape.kind !== "text" || typeof value.value !== "string") return [];
  return [{ place: value.place, text: value.value, of: shape }];
}

/** None for what is no template: that is told elsewhere. */
function namesIn(text: string): readonly string[] {
  try {
    return hookValuesIn(text);
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}
