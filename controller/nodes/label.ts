import { compareNames } from "../../proto/names/natural-order.ts";

/** Labels of a node: what an operator says about it, by key. */
export type Labels = Readonly<Record<string, string>>;

/** No node needs more; `node label` refuses the next. */
export const maxLabels = 64;

const maxPart = 63;
const maxPrefix = 253;
const part = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const dnsName = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const ofPart = 'letters, digits, "-", "_" and ".", with a letter or digit at both ends';

/**
 * What is wrong with the key of a label, as a sentence; undefined when nothing is. The rule is Kubernetes': an optional
 * DNS name of at most 253 characters and "/", then a name of at most 63.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
 */
export function problemOfLabelKey(key: string): string | undefined {
  const slash = key.indexOf("/");
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (prefix !== undefined && (prefix.length > maxPrefix || !dnsName.test(prefix)))
    return `${quote(key)} cannot be the key of a label: what is before "/" has to be a DNS name of at most ${maxPrefix} characters`;
  if (name.length > maxPart || !part.test(name))
    return `${quote(key)} cannot be the key of a label: use 1 to ${maxPart} ${ofPart}`;
  return undefined;
}

/** What is wrong with the value of a label; undefined when nothing is. A value may be empty. */
export function problemOfLabelValue(value: string): string | undefined {
  if (value === "" || (value.length <= maxPart && part.test(value))) return undefined;
  return `${quote(value)} cannot be the value of a label: use at most ${maxPart} ${ofPart}`;
}

/** What to do to the labels of a node. */
export interface LabelChanges {
  readonly set: Labels;
  /** Keys. */
  readonly remove: readonly string[];
}

/** What is wrong with changes by themselves; undefined when nothing is. */
export function problemOfLabelChanges({ set, remove }: LabelChanges): string | undefined {
  const keys = [...Object.keys(set), ...remove];
  if (keys.length === 0) return "no label is given: give KEY=VALUE to set one, or KEY- to remove one";
  for (const key of keys) {
    const problem = problemOfLabelKey(key);
    if (problem !== undefined) return problem;
  }
  const both = remove.find((key) => Object.hasOwn(set, key));
  if (both !== undefined) return `label ${both} is both set and removed: give one of the two`;
  return Object.values(set)
    .map(problemOfLabelValue)
    .find((problem) => problem !== undefined);
}

/** Why a node cannot take changes that are well-formed, as kinds of refusals; undefined when it can. */
export function problemOfLabelling(
  labels: Labels,
  { set, remove }: LabelChanges,
  overwrite: boolean,
): { readonly kind: "taken" | "too-many"; readonly message: string } | undefined {
  const taken = Object.entries(set).find(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] !== value && !overwrite,
  );
  if (taken !== undefined) {
    const [key, value] = taken;
    return {
      kind: "taken",
      message: `has the label ${key}=${labels[key]} already; change it to ${key}=${value} with --overwrite`,
    };
  }
  const count = Object.keys(changedLabels(labels, { set, remove })).length;
  if (count <= maxLabels) return undefined;
  return { kind: "too-many", message: `would have ${count} labels; a node has at most ${maxLabels}` };
}

/** The labels after the changes, by key. */
export function changedLabels(labels: Labels, { set, remove }: LabelChanges): Labels {
  const kept = Object.entries(labels).filter(([key]) => !remove.includes(key) && !Object.hasOwn(set, key));
  return Object.fromEntries([...kept, ...Object.entries(set)].toSorted(([one], [other]) => compareNames(one, other)));
}

/** Labels as people write them: "rack=a,shelf=2". */
export function renderLabels(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

/** Text from outside, no longer than a message bears. */
function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
