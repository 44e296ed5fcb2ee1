import { Document, visit } from "yaml";
import { escapedForJson, isPrintable } from "./printable.ts";

/**
 * YAML that is safe to show on a terminal, in lines; it reads back as what `printableJson` shows of the same value, by
 * readers of YAML 1.1 too (for whom a MAC address can be a number in base 60).
 */
export function printableYaml(value: unknown): readonly string[] {
  // What JSON knows alone: it has no -0 and no undefined.
  const document = new Document(JSON.parse(JSON.stringify(value)) as unknown, {
    aliasDuplicateObjects: false,
    compat: "yaml-1.1",
  });
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === "string" && !isPrintable(node.value)) node.type = "QUOTE_DOUBLE";
    },
  });
  const text = document.toString({ lineWidth: 0, doubleQuotedAsJSON: true });
  return escapedForJson(text).trimEnd().split("\n");
}
