import type { Located } from "./located.ts";

/** Whether a text has anything that a template renders. */
export function isTemplateText(text: string): boolean {
  return text.includes("{{") || text.includes("{%");
}

/** Whether a value has. */
export function isTemplate(value: Located): boolean {
  return value.kind === "scalar" && typeof value.value === "string" && isTemplateText(value.value);
}
