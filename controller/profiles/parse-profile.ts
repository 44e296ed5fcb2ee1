import { basename } from "node:path";
import { isAlias, isMap, isNode, isScalar, isSeq, type Node, type Pair } from "yaml";
import { Failure } from "../../proto/failure.ts";
import { limits } from "../../proto/limits.ts";
import { parseLabelSelector } from "../nodes/parse-label-selector.ts";
import { parseYaml, type YamlText } from "../yaml/parse-yaml.ts";
import { checkShape, integerOf } from "./check-shape.ts";
import { findMisplacedHookValues } from "./hook-values.ts";
import { fieldOf, type Located, type LocatedMap, type Problem, textOf } from "./located.ts";
import type { Profile, ProfileMatch } from "./profile.ts";
import { profileShape, systemShape } from "./profile-shape.ts";
import { findTemplateProblems } from "./template-problems.ts";

/** A profile, or everything that is wrong with its file. */
export interface ParsedProfile {
  /** Absent where there are problems. */
  readonly profile?: Profile;
  /** What it says, as far as it can be read: also where there are problems. */
  readonly system?: LocatedMap;
  readonly problems: readonly Problem[];
}

const deepest = limits.profiles.depth.most;
const nameForm = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/**
 * Reads a profile: YAML 1.2, core schema, without anchors. All of its problems are told at once, each with its place.
 *
 * @param file absolute path of the file, for messages, and for the name of a profile that says none
 */
export function parseProfile(text: string, file: string): ParsedProfile {
  const yaml = parseYaml(text);
  const whole = { file, field: "" };
  const problems: Problem[] = yaml.problems.map(({ place, problem }) => ({ place: { ...whole, ...place }, problem }));
  if (problems.length > 0) return { problems };
  if (yaml.contents === undefined || !isMap(yaml.contents))
    return {
      problems: [{ place: whole, problem: 'the file has no fields; start it with a line like "system:"' }],
    };
  const root = locate(yaml.contents, yaml, { file, problems, field: "", depth: 0 });
  const written = fieldOf(root, "system");
  problems.push(...checkShape(root, profileShape), ...findTemplateProblems(written, systemShape));
  problems.push(...findMisplacedHookValues(written, systemShape));
  const match = readMatch(fieldOf(root, "match"), problems);
  const name = textOf(root, "name") ?? basename(file).replace(/\.ya?ml$/, "");
  if (fieldOf(root, "name") === undefined && !nameForm.test(name))
    problems.push({
      place: whole,
      problem: `its name ${JSON.stringify(name)} is none for a profile: use small letters, digits, - and _, or give it a field name`,
    });
  const said = fieldOf(root, "system");
  const system = said?.kind === "map" ? { system: said } : {};
  if (problems.length > 0) return { ...system, problems };
  const profile = {
    ...{ name, file, match, matchText: describeMatch(fieldOf(root, "match")), ...system },
    priority: integerOf(fieldOf(root, "priority")) ?? 0,
  };
  return { profile, ...system, problems: [] };
}

interface Where {
  readonly file: string;
  /** Problems are added here. */
  readonly problems: Problem[];
  readonly field: string;
  readonly depth: number;
}

/** A node of YAML with the places of all that is in it. */
function locate(node: unknown, yaml: YamlText, where: Where): Located {
  const { file, field, problems, depth } = where;
  const place = { file, ...yaml.placeOf(isNode(node) ? node.range?.[0] : undefined), field };
  const nothing: Located = { kind: "scalar", value: null, place };
  if (depth > deepest) {
    problems.push({ place, problem: `it is more than ${deepest} levels deep` });
    return nothing;
  }
  if (isAlias(node)) {
    problems.push({
      place,
      problem:
        "anchors and aliases are not read: put what several nodes share into a profile, and a text that begins with * into quotes",
    });
    return nothing;
  }
  if (isMap(node)) return locateMap(node.items, yaml, { ...where, field }, place);
  if (isSeq(node)) {
    const items = node.items.map((item, index) =>
      locate(item, yaml, { ...where, field: `${field}[${index}]`, depth: depth + 1 }),
    );
    return { kind: "list", items, place };
  }
  const value = isScalar(node) ? node.value : null;
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return { kind: "scalar", value, place };
  problems.push({ place, problem: "it is neither text nor number; put it in quotes" });
  return nothing;
}

function locateMap(pairs: readonly Pair[], yaml: YamlText, where: Where, place: Located["place"]): LocatedMap {
  const { file, field, problems, depth } = where;
  const entries = new Map<string, Located>();
  for (const { key, value } of pairs) {
    const at = { file, ...yaml.placeOf(isNode(key) ? ((key as Node).range?.[0] ?? undefined) : undefined) };
    if (!isScalar(key) || typeof key.value !== "string") {
      problems.push({ place: { ...at, field }, problem: "the name of a field is text; put it in quotes" });
      continue;
    }
    const name = key.value;
    const entry = locate(value, yaml, { ...where, field: field === "" ? name : `${field}.${name}`, depth: depth + 1 });
    // An absent value has no place of its own.
    entries.set(name, { ...entry, place: { ...at, ...entry.place } });
  }
  return { kind: "map", entries, place };
}

function readMatch(match: Located | undefined, problems: Problem[]): ProfileMatch {
  const patterns = Object.fromEntries(
    (["name", "model", "image"] as const).flatMap((field) => {
      const pattern = textOf(match, field);
      return pattern === undefined ? [] : [[field, pattern]];
    }),
  );
  const selector = textOf(match, "labels");
  if (selector === undefined) return patterns;
  try {
    return { ...patterns, labels: parseLabelSelector(selector) };
  } catch (error) {
    const place = fieldOf(match, "labels")?.place ?? { file: "", field: "match.labels" };
    problems.push({ place, problem: Failure.from(error).message });
    return patterns;
  }
}

function describeMatch(match: Located | undefined): string {
  return (["labels", "name", "model", "image"] as const)
    .flatMap((field) => {
      const text = textOf(match, field);
      return text === undefined ? [] : [`${field} ${text}`];
    })
    .join(" and ");
}
