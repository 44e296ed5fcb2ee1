import { cutText } from "../../proto/cut-text.ts";
import { Failure } from "../../proto/failure.ts";
import { invalid } from "../refusal/refusal.ts";
import { type Labels, problemOfLabelKey, problemOfLabelValue } from "./label.ts";

/** What the labels of a node have to be. */
export type LabelRequirement =
  | { readonly kind: "exists"; readonly key: string }
  | { readonly kind: "absent"; readonly key: string }
  /** One of these values; `not-in` holds for a node without the label too. */
  | { readonly kind: "in" | "not-in"; readonly key: string; readonly values: readonly string[] };

/** Far more than anybody types. */
const maxSelectorLength = 4096;

/**
 * Reads a label selector in Kubernetes' syntax: requirements joined by commas that all have to hold, each `key=value`,
 * `key==value`, `key!=value`, `key in (a, b)`, `key notin (a, b)`, `key` or `!key`. An empty one requires nothing.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 *
 * Throws a Failure (invalid) that quotes what cannot be read.
 */
export function parseLabelSelector(text: string): readonly LabelRequirement[] {
  if (text.length > maxSelectorLength)
    throw invalid(`the label selector has ${text.length} characters; at most ${maxSelectorLength} are read`);
  if (text.trim() === "") return [];
  return splitOutsideParentheses(text).map((part) => parseRequirement(part.trim(), text));
}

/** Whether labels are as required. */
export function matchesLabels(labels: Labels, requirements: readonly LabelRequirement[]): boolean {
  return requirements.every((requirement) => {
    const { key } = requirement;
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (!("values" in requirement)) return (value !== undefined) === (requirement.kind === "exists");
    const isListed = value !== undefined && requirement.values.includes(value);
    return isListed === (requirement.kind === "in");
  });
}

function splitOutsideParentheses(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
    if (character !== "," || depth !== 0) continue;
    parts.push(text.slice(from, at));
    from = at + 1;
  }
  return [...parts, text.slice(from)];
}

const setBased = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/;
const equality = /^([^\s=!]+)\s*(==|=|!=)\s*(\S*)$/;

function parseRequirement(part: string, whole: string): LabelRequirement {
  const [, listKey = "", listWord, list = ""] = setBased.exec(part) ?? [];
  if (listWord !== undefined) {
    const values = list.split(",").map((value) => checkedValue(value.trim(), whole));
    return { kind: listWord === "in" ? "in" : "not-in", key: checkedKey(listKey, whole), values };
  }
  const [, key = "", sign, value = ""] = equality.exec(part) ?? [];
  if (sign !== undefined)
    return { kind: sign === "!=" ? "not-in" : "in", key: checkedKey(key, whole), values: [checkedValue(value, whole)] };
  if (/[<>]/.test(part)) throw malformed(whole, `"${cutText(part, 60)}": numbers are not compared`);
  const absent = part.startsWith("!");
  return { kind: absent ? "absent" : "exists", key: checkedKey(absent ? part.slice(1).trim() : part, whole) };
}

function checkedKey(key: string, whole: string): string {
  const problem = key === "" ? "a key is missing" : problemOfLabelKey(key);
  if (problem !== undefined) throw malformed(whole, problem);
  return key;
}

function checkedValue(value: string, whole: string): string {
  const problem = problemOfLabelValue(value);
  if (problem !== undefined) throw malformed(whole, problem);
  return value;
}

function malformed(whole: string, problem: string): Failure {
  return new Failure(
    "invalid",
    `the label selector ${JSON.stringify(cutText(whole, 121))} cannot be read: ${problem}; write it like ` +
      '"rack=a", "rack!=a", "rack in (a, b)", "rack notin (a, b)", "rack" or "!rack", joined by commas',
  );
}
