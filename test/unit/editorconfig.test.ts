// Editors are told what the formatter is told.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { it } from "node:test";
import { checkout } from "../programs/checkout.ts";

it(".editorconfig has the formatter's settings", () => {
  const { formatter } = JSON.parse(readFileSync(path.join(checkout, ".biome.json"), "utf8"));
  const [general = ""] = readFileSync(path.join(checkout, ".editorconfig"), "utf8").split(/^\[(?!\*\])/m);
  const settings = Object.fromEntries([...general.matchAll(/^(\w+) = (\S+)$/gm)].map(([, key, value]) => [key, value]));
  assert.equal(settings["indent_style"], formatter.indentStyle);
  assert.equal(settings["indent_size"], String(formatter.indentWidth));
  assert.equal(settings["max_line_length"], String(formatter.lineWidth));
});
