import { labelField, sortFields } from "../render/node-columns.ts";

/** The hidden command by which scripts ask the running controller. */
export const completeCommand = "complete-values";

/** What only the running controller knows. */
export const askedKinds = ["node", "image", "rollout", "operator", "authority", "root", "label"] as const;
export type AskedKind = (typeof askedKinds)[number];

/** Where the values come from that a shell offers. */
export type ValueSource =
  | { readonly from: "words"; readonly words: readonly string[] }
  | { readonly from: "controller"; readonly kind: AskedKind }
  | { readonly from: "files" | "folders" | "interfaces" | "nowhere" };

const words = (...given: readonly string[]): ValueSource => ({ from: "words", words: given });
const asked = (kind: AskedKind): ValueSource => ({ from: "controller", kind });
const files: ValueSource = { from: "files" };
const nowhere: ValueSource = { from: "nowhere" };

/** By the placeholder of a value, which says what it is; in a usage of our own it is in capitals. */
const sources: Readonly<Record<string, ValueSource>> = {
  node: asked("node"),
  nodes: asked("node"),
  "node[:disk]": asked("node"),
  image: asked("image"),
  rollout: asked("rollout"),
  operator: asked("operator"),
  authority: asked("authority"),
  version: asked("root"),
  labels: asked("label"),
  "key=value": asked("label"),
  archive: files,
  file: files,
  path: files,
  list: files,
  target: files,
  folder: { from: "folders" },
  interface: { from: "interfaces" },
  field: words(...sortFields, labelField),
  boolean: words("true", "false"),
  // What nobody but the user knows.
  "address/length": nowhere,
  author: nowhere,
  board: nowhere,
  count: nowhere,
  days: nowhere,
  device: nowhere,
  disk: nowhere,
  hex: nowhere,
  "host[:port]": nowhere,
  "key-": nowhere,
  label: nowhere,
  name: nowhere,
  names: nowhere,
  new: nowhere,
  number: nowhere,
  size: nowhere,
  text: nowhere,
  url: nowhere,
  words: nowhere,
};

/** Placeholders of which somebody has said what they take; a test holds all of the commands against it. */
export const knownPlaceholders: ReadonlySet<string> = new Set(Object.keys(sources));

/** Where the values of a placeholder come from; from nowhere for one that is not known. */
export function sourceOf(placeholder: string): ValueSource {
  return sources[placeholder.toLowerCase()] ?? nowhere;
}
