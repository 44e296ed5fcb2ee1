import { dirname } from "node:path";
import { isMap, isNode, isScalar, type Pair, type YAMLMap } from "yaml";
import { messageOf } from "../../proto/failure.ts";
import { closestWord } from "../../proto/names/closest-word.ts";
import { parseYaml } from "../yaml/parse-yaml.ts";
import { formerSettings } from "./former-settings.ts";
import type { GivenValue, GivenValues } from "./given-value.ts";
import { settingList } from "./settings.ts";

const keys: readonly string[] = settingList.map((setting) => setting.key);
const groups: ReadonlySet<string> = new Set(
  keys.flatMap((key) => key.split(".").map((_, index, parts) => parts.slice(0, index).join("."))).filter(Boolean),
);

/**
 * Reads a config file (YAML 1.2, core schema). Syntax errors, keys that occur twice and keys that do not exist are
 * problems; the values are not checked here.
 *
 * @param name absolute path of the file, for messages and as the base of relative paths
 */
export function parseConfigFile(text: string, name: string): GivenValues {
  const { contents, problems: malformed, placeOf, toValue } = parseYaml(text);
  const values = new Map<string, GivenValue>();
  const lineOf = (line: number | undefined): string => (line === undefined ? name : `${name} line ${line}`);
  const at = (offset: number | undefined): string => lineOf(placeOf(offset)?.line);
  const problems = malformed.map(({ place, problem }) => `${lineOf(place?.line)}: ${problem}`);
  if (contents !== undefined) {
    if (isMap(contents)) readMap(contents, "");
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
        const value = isNode(pair.value) ? toValue(pair.value) : pair.value;
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
