import { dirname } from "node:path";
import { isMap, isNode, isScalar, LineCounter, type Pair, parseDocument, type YAMLMap } from "yaml";
import { messageOf } from "../../proto/failure.ts";
import { closestWord } from "../../proto/names/closest-word.ts";
import { formerSettings } from "./former-settings.ts";
import type { GivenValue, GivenValues } from "./given-value.ts";
import { settingList } from "./settings.ts";

const keys: readonly string[] = settingList.map((setting) => setting.key);
const groups: ReadonlySet<string> = new Set(
  keys.flatMap((key) => key.split(".").map((_, index, parts) => parts.slice(0, index).join("."))).filter(Boolean),
);

/** One mistake in YAML brings others with it: so many are told. */
const mostMalformed = 10;
/** A thousand of these would take the library a GiB; settings nest three deep. */
const tooDeep = /(?:[-?:][ \t]+){64}/;

/**
 * Reads a config file (YAML 1.2, core schema). Syntax errors, keys that occur twice and keys that do not exist are
 * problems; the values are not checked here.
 *
 * @param name absolute path of the file, for messages and as the base of relative paths
 */
export function parseConfigFile(text: string, name: string): GivenValues {
  if (tooDeep.test(text))
    return {
      values: new Map(),
      problems: [`${name}: it has "- " or "? " within each other 64 times: write lists as [a, b]`],
    };
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const values = new Map<string, GivenValue>();
  const problems: string[] = [];
  const at = (offset: number | undefined): string =>
    offset === undefined ? name : `${name} line ${lines.linePos(offset).line}`;

  const malformed = [...document.errors, ...document.warnings];
  for (const error of malformed.slice(0, mostMalformed)) {
    const remedy = error.code === "DUPLICATE_KEY" ? "a key appears twice; delete one" : error.message;
    problems.push(`${at(error.pos[0])}: ${remedy}`);
  }
  if (malformed.length > mostMalformed)
    problems.push(
      `${name}: ${malformed.length - mostMalformed} more of this kind: correct the first ones, and try again`,
    );
  if (document.errors.length === 0 && document.contents !== null) {
    if (isMap(document.contents)) readMap(document.contents, "");
    else problems.push(`${name}: the file has no keys; start it with a line like "listen: 10.0.0.1"`);
  }
  return { values, problems };

  function readMap(map: YAMLMap, prefix: string): void {
    for (const pair of map.items) readPair(pair, prefix);
  }

  function readPair(pair: Pair, prefix: string): void {
    const source = at(isNode(pair.key) ? pair.key.range?.[0] : undefined);
    if (!isScalar(pair.key)) {
      // As text, keys in keys would double with each.
      problems.push(`${source}: a key is not a word; "? " and "{" begin something else`);
      return;
    }
    const key = `${prefix}${String(pair.key.value)}`;
    if (keys.includes(key)) {
      try {
        const value = isNode(pair.value) ? pair.value.toJS(document) : pair.value;
        values.set(key, { value, source, folder: dirname(name) });
      } catch (error) {
        // An alias without its anchor, or too many of them.
        problems.push(`${source}: ${messageOf(error)}`);
      }
    } else if (formerSettings.has(key)) {
      problems.push(`${source}: ${formerSettings.get(key)}`);
    } else if (!groups.has(key)) {
      const meant = closestWord(key, [...keys, ...groups]);
      const remedy = meant === undefined ? `the keys are ${keys.join(", ")}` : `did you mean "${meant}"?`;
      problems.push(`${source}: there is no key "${key}"; ${remedy}`);
    } else if (isMap(pair.value)) {
      readMap(pair.value, `${key}.`);
    } else if (isScalar(pair.value) && pair.value.value === null) {
      // Everything below it is commented out.
    } else {
      problems.push(`${source}: "${key}" is a group of keys; put them below it, indented by two spaces`);
    }
  }
}
