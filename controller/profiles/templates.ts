import { Liquid, LiquidError, type Template } from "liquidjs";
import { Failure } from "../../proto/failure.ts";
import { limits } from "../../proto/limits.ts";

/*
 * Templates are Liquid's (https://liquidjs.com), which interprets them: no part of one is ever run as code. No tag is left
 * that repeats or reads files, and no filter whose result is longer than what went in but by what is counted as memory.
 */

const tags: readonly string[] = ["assign", "capture", "case", "comment", "if", "raw", "unless", "#"];
const filters: readonly string[] = [
  ...[
    "append",
    "prepend",
    "capitalize",
    "downcase",
    "upcase",
    "strip",
    "lstrip",
    "rstrip",
    "slice",
    "truncate",
    "size",
  ],
  ...[
    "remove",
    "remove_first",
    "remove_last",
    "replace",
    "replace_first",
    "replace_last",
    "split",
    "join",
    "first",
    "last",
  ],
  ...["abs", "at_least", "at_most", "ceil", "divided_by", "floor", "minus", "modulo", "plus", "round", "times"],
  ...["default", "json", "url_encode", "to_integer", "sha256"],
];

const liquid = new Liquid({
  ...{ strictVariables: true, strictFilters: true, ownPropertyOnly: true },
  // "default" and "if" are the way to say what holds without a value.
  lenientIf: true,
  parseLimit: limits.profiles.templateCharacters.most,
  renderLimit: limits.profiles.renderMs.most,
  memoryLimit: limits.profiles.renderedCharacters.most,
  // Nothing is looked for on a disk.
  templates: {},
});
for (const name of Object.keys(liquid.tags)) if (!tags.includes(name)) delete liquid.tags[name];
for (const name of Object.keys(liquid.filters)) if (!filters.includes(name)) delete liquid.filters[name];

/** What templates can say of a node. */
export interface TemplateValues {
  readonly [name: string]: string | number | Readonly<Record<string, string>>;
}

/** Why what a hook is to give is not there, with the remedy. */
export function noHookGives(kind: "value" | "secret", name: string): string {
  return `no before-reimage hook of this node gives the ${kind} ${name}; name it in the "gives" of one`;
}

/** Reads a template. Throws a Failure (invalid) that says what is wrong with it. */
export function parseTemplate(text: string): readonly Template[] {
  try {
    return liquid.parse(text);
  } catch (error) {
    throw explained(error);
  }
}

/**
 * Renders a template. Throws a Failure (invalid): it is none, uses what is not known of the node, or has gone beyond its
 * limits.
 *
 * @param mostMs how long it may take, in milliseconds
 */
export function renderTemplate(
  text: string,
  values: TemplateValues,
  mostMs: number = limits.profiles.renderMs.most,
): string {
  const template = parseTemplate(text);
  try {
    const rendered: unknown = liquid.renderSync([...template], values, { renderLimit: mostMs });
    return String(rendered);
  } catch (error) {
    throw explained(error);
  }
}

/**
 * The values of hooks that a template uses, by name. Throws a Failure (invalid) where it is none, or names one in a way that
 * only rendering could tell.
 */
export function hookValuesIn(text: string): readonly string[] {
  let used: readonly (readonly unknown[])[];
  try {
    used = liquid.globalVariableSegmentsSync(text);
  } catch (error) {
    throw explained(error);
  }
  return used
    .filter(([first]) => first === "hook")
    .map(([, name, ...more]) => {
      if (typeof name === "string" && more.length === 0) return name;
      throw new Failure("invalid", "the template has to name what a hook gives, as hook.NAME");
    });
}

function explained(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  // Without the place: in a template of one line it is that line.
  const [first = ""] = message.split("\n");
  const said = first.replace(/, line:\d+, col:\d+$/, "");
  const undefinedVariable = /^undefined variable: (.+)$/.exec(said)?.[1];
  const hookValue = /^hook\.(.+)$/.exec(undefinedVariable ?? "")?.[1];
  if (hookValue !== undefined)
    return new Failure("invalid", `${noHookGives("value", hookValue)}, or say what holds without it`, { cause: error });
  if (undefinedVariable !== undefined)
    return new Failure(
      "invalid",
      `the template uses ${undefinedVariable}, which this node does not have; say what holds without it ` +
        `({{ ${undefinedVariable} | default: "…" }}), or match only nodes that have it`,
      { cause: error },
    );
  const tag = /^tag "?([^"]+)"? not found$/.exec(said)?.[1];
  if (tag !== undefined)
    return new Failure("invalid", `the template has the tag ${tag}; the tags are ${tags.join(", ")}`);
  const filter = /^undefined filter: (.+)$/.exec(said)?.[1];
  if (filter !== undefined)
    return new Failure("invalid", `the template has the filter ${filter}; the filters are ${filters.join(", ")}`);
  if (error instanceof LiquidError || /limit exceeded/.test(said))
    return new Failure("invalid", `the template is not one of Liquid: ${said}`, { cause: error });
  return new Failure("invalid", `the template cannot be rendered: ${said}`, { cause: error });
}
