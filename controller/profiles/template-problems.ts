import { Failure } from "../../proto/failure.ts";
import { isTemplateText } from "./is-template.ts";
import type { Located, Problem } from "./located.ts";
import type { Shape } from "./shape.ts";
import { hookValuesIn, parseTemplate, renderTemplate, type TemplateValues } from "./templates.ts";

/** What is wrong with the templates of a value, as far as that does not depend on a node. */
export function findTemplateProblems(value: Located | undefined, shape: Shape): readonly Problem[] {
  if (value === undefined) return [];
  switch (value.kind) {
    case "map":
      return [...value.entries].flatMap(([name, entry]) => findTemplateProblems(entry, shapeOfField(shape, name)));
    case "list":
      return value.items.flatMap((item) => findTemplateProblems(item, shapeOfItem(shape)));
    case "scalar":
      if (typeof value.value !== "string" || !isTemplateText(value.value)) return [];
      return problemOf(value, shape, () => {
        parseTemplate(value.value as string);
        hookValuesIn(value.value as string);
      });
  }
}

/**
 * A value with its templates rendered, and what could not be.
 *
 * @param leftMs how long all of it may take from now on, in milliseconds
 */
export function renderTemplates(
  value: Located,
  shape: Shape,
  values: TemplateValues,
  leftMs: () => number,
): { readonly value: Located; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const render = (each: Located, of: Shape): Located => {
    switch (each.kind) {
      case "map": {
        const entries = [...each.entries].map(
          ([name, entry]) => [name, render(entry, shapeOfField(of, name))] as const,
        );
        return { ...each, entries: new Map(entries) };
      }
      case "list":
        return { ...each, items: each.items.map((item) => render(item, shapeOfItem(of))) };
      case "scalar": {
        const { value: text } = each;
        if (typeof text !== "string" || !isTemplateText(text)) return each;
        let rendered = text;
        problems.push(
          ...problemOf(each, of, () => {
            rendered = renderTemplate(text, values, leftMs());
          }),
        );
        return { ...each, value: rendered };
      }
    }
  };
  return { value: render(value, shape), problems };
}

/** Of what is refused elsewhere, anything might be a secret. */
const unknown: Shape = { kind: "text", wants: "", secret: true };

function shapeOfField(shape: Shape, name: string): Shape {
  if (shape.kind === "record") return shape.of;
  return (shape.kind === "map" && Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined) ?? unknown;
}

function shapeOfItem(shape: Shape): Shape {
  return shape.kind === "list" ? shape.of : unknown;
}

function problemOf({ place }: Located, shape: Shape, attempt: () => void): readonly Problem[] {
  try {
    attempt();
    return [];
  } catch (error) {
    // What is wrong with a template says parts of it.
    const isSecret = shape.kind === "text" && shape.secret === true;
    return [{ place, problem: isSecret ? wrongSecret : Failure.from(error).message }];
  }
}

const wrongSecret =
  "it has a template that is wrong, or that uses what this node does not have; more is not said of a secret. " +
  'One with "{{" or "{%" in it goes into a file, which is taken as it is';
