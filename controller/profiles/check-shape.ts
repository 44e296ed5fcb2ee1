import { cutText } from "../../proto/cut-text.ts";
import { closestWord } from "../../proto/names/closest-word.ts";
import { isTemplate } from "./is-template.ts";
import type { Located, LocatedList, LocatedMap, Problem } from "./located.ts";
import type { MapShape, Shape } from "./shape.ts";

/**
 * Everything in which a value has not the shape that it should have.
 *
 * @param stage "written": what has a template is not looked into; "rendered": no template is left
 */
export function checkShape(
  value: Located,
  shape: Shape,
  stage: "written" | "rendered" = "written",
): readonly Problem[] {
  const open = stage === "written" && isTemplate(value);
  const wrong = (wants: string): readonly Problem[] => [
    { place: value.place, problem: `${describe(value, shape)} does not go here; give ${wants}` },
  ];
  switch (shape.kind) {
    case "map":
      return value.kind === "map" ? checkMap(value, shape, stage) : wrong("a map of fields, indented below it");
    case "record":
      if (value.kind !== "map") return wrong("a map of names to texts");
      return [
        ...tooMany(value, value.entries.size, shape.most),
        ...[...value.entries].flatMap(([name, entry]) => [
          ...(shape.key.test(name) ? [] : [{ place: entry.place, problem: `${quote(name)}: give ${shape.wants}` }]),
          ...checkShape(entry, shape.of, stage),
        ]),
      ];
    case "list": {
      if (value.kind !== "list") return wrong("a list, one entry a line with a - before it");
      const { by } = shape;
      return [
        ...tooMany(value, value.items.length, shape.most),
        ...value.items.flatMap((item) => checkShape(item, shape.of, stage)),
        ...(by === undefined ? [] : repeated(value, by)),
      ];
    }
    case "text":
      return checkText(value, shape, open, wrong);
    case "integer": {
      if (open) return [];
      const number = integerOf(value);
      if (number !== undefined && number >= shape.least && number <= shape.most) return [];
      return wrong(`a whole number from ${shape.least} to ${shape.most}`);
    }
    case "boolean":
      return open || booleanOf(value) !== undefined ? [] : wrong("true or false");
    case "word": {
      if (open) return [];
      const isOne = value.kind === "scalar" && typeof value.value === "string" && shape.words.includes(value.value);
      return isOne ? [] : wrong(`one of ${shape.words.join(", ")}`);
    }
  }
}

/** A number, or a text that is one: templates give texts. */
export function integerOf(value: Located | undefined): number | undefined {
  if (value?.kind !== "scalar") return undefined;
  if (typeof value.value === "number") return Number.isSafeInteger(value.value) ? value.value : undefined;
  return typeof value.value === "string" && /^-?[0-9]{1,15}$/.test(value.value) ? Number(value.value) : undefined;
}

/** The same of true and false. */
export function booleanOf(value: Located | undefined): boolean | undefined {
  if (value?.kind !== "scalar") return undefined;
  if (typeof value.value === "boolean") return value.value;
  return value.value === "true" ? true : value.value === "false" ? false : undefined;
}

function checkMap(value: LocatedMap, shape: MapShape, stage: "written" | "rendered"): readonly Problem[] {
  const { fields, alternatives = [], required = [] } = shape;
  const names = Object.keys(fields);
  const problems = [...value.entries].flatMap(([name, entry]): readonly Problem[] => {
    const of = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (of === undefined) {
      const meant = closestWord(cutText(name, 64), names);
      const remedy = meant === undefined ? `the fields are ${names.join(", ")}` : `did you mean "${meant}"?`;
      return [{ place: entry.place, problem: `there is no such field here; ${remedy}` }];
    }
    // Takes back what a profile of a lower priority says.
    if (entry.kind === "scalar" && entry.value === null && !required.includes(name)) return [];
    return checkShape(entry, of, stage);
  });
  const missing = required
    .filter((name) => !value.entries.has(name))
    .map((name) => ({ place: value.place, problem: `it has no ${name}; give one` }));
  const twice = alternatives.flatMap((group) => {
    const given = group.filter((name) => isGiven(value.entries.get(name)));
    return given.length < 2
      ? []
      : [{ place: value.place, problem: `${given.join(" and ")} exclude each other; give one of them` }];
  });
  return [...problems, ...missing, ...twice];
}

function isGiven(entry: Located | undefined): boolean {
  return entry !== undefined && !(entry.kind === "scalar" && entry.value === null);
}

function checkText(
  value: Located,
  shape: Shape & { readonly kind: "text" },
  open: boolean,
  wrong: (wants: string) => readonly Problem[],
): readonly Problem[] {
  if (value.kind !== "scalar" || value.value === null) return wrong(shape.wants);
  if (typeof value.value !== "string") return wrong(`${shape.wants}, in quotes`);
  if (open) {
    return shape.literal === true
      ? [{ place: value.place, problem: "a template does not go here: it is read before a node is chosen" }]
      : [];
  }
  return shape.form === undefined || shape.form.test(value.value) ? [] : wrong(shape.wants);
}

function tooMany({ place }: Located, count: number, most: number): readonly Problem[] {
  return count <= most ? [] : [{ place, problem: `it has ${count} entries; give at most ${most}` }];
}

/** Entries that have one name twice: which of them would be merged? */
function repeated({ items }: LocatedList, by: string): readonly Problem[] {
  const seen = new Set<string>();
  return items.flatMap((item) => {
    const key = item.kind === "map" ? item.entries.get(by) : undefined;
    if (key?.kind !== "scalar" || typeof key.value !== "string") return [];
    if (!seen.has(key.value)) {
      seen.add(key.value);
      return [];
    }
    return [{ place: key.place, problem: `${quote(key.value)} is there already; put both into one entry` }];
  });
}

function describe(value: Located, shape: Shape): string {
  if (value.kind !== "scalar") return value.kind === "map" ? "a map" : "a list";
  if (value.value === null) return "nothing";
  if (shape.kind === "text" && shape.secret === true) return "what is written";
  return quote(value.value);
}

function quote(value: string | number | boolean): string {
  return JSON.stringify(typeof value === "string" ? cutText(value, 80) : value);
}
