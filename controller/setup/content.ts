import { createHash } from "node:crypto";

/** What is at a path. */
export type Content =
  | { readonly kind: "absent" }
  | { readonly kind: "file"; readonly text: string; readonly mode: number }
  | { readonly kind: "link"; readonly to: string }
  /** A folder or the like. */
  | { readonly kind: "other" };

/** What a setup writes to a path: never over what somebody else has there. */
export type Written = Extract<Content, { readonly kind: "file" | "link" }>;

/** Tells contents apart: equal for what is the same, permissions included. */
export function digestOf(content: Content): string {
  const words =
    content.kind === "file"
      ? ["file", content.mode.toString(8), content.text]
      : content.kind === "link"
        ? ["link", content.to]
        : [content.kind];
  return createHash("sha256").update(words.join("\n")).digest("hex");
}
