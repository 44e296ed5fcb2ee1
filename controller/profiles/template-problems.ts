import { Failure } from "../../proto/failure.ts";
import { isTemplateText } from "./is-template.ts";
import type { Located, Problem } from "./located.ts";
import { hookValuesIn, parseTemplate, renderTemplate, type TemplateValues } from "./templates.ts";

/** What is wrong with the templates of a value, as far as that does not depend on a node. */
export function findTemplateProblems(value: Located | undefined): readonly Problem[] {
  if (value === undefined) return [];
  switch (value.kind) {
    case "map":
      return [...value.entries.values()].flatMap(findTemplateProblems);
    case "list":
      return value.items.flatMap(findTemplateProblems);
    case "scalar":
      if (typeof value.value !== "string" || !isTemplateText(value.value)) return [];
      return problemOf(value, () => {
        parseTemplate(value.value as string);
        hookValuesIn(value.value as string);
      });
  }
}

/** A value with its templates rendered, and what could not be. */
export function renderTemplates(
  value: Located,
  values: TemplateValues,
): { readonly value: Located; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const render = (each: Located): Located => {
    switch (each.kind) {
      case "map":
        return { ...each, entries: new Map([...each.entries].map(([name, entry]) => [name, render(entry)])) };
      case "list":
        return { ...each, items: each.items.map(render) };
      case "scalar": {
        const { value: text } = each;
        if (typeof text !== "string" || !isTemplateText(text)) return each;
        let rendered = text;
        problems.push(
          ...problemOf(each, () => {
            rendered = renderTemplate(text, values);
          }),
        );
        return { ...each, value: rendered };
      }
    }
  };
  return { value: render(value), problems };
}

function problemOf({ place }: Located, attempt: () => void): readonly Problem[] {
  try {
    attempt();
    return [];
  } catch (error) {
    return [{ place, problem: Failure.from(error).message }];
  }
}
