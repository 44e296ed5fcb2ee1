import { cutText } from "../../../proto/cut-text.ts";
import { Failure } from "../../../proto/failure.ts";
import { limits } from "../../../proto/limits.ts";
import type { OsItem, OsList, OsProblem } from "./os-list.ts";
import { createFieldReader } from "./read-field.ts";

const mostEntries = limits.downloads.listEntries.most;
const mostLevels = limits.downloads.listDepth.most;
const mostText = limits.downloads.listTextCharacters.most;
const mostAddress = limits.downloads.addressCharacters.most;
const mostDevices = limits.downloads.listDevices.most;

type Fields = Readonly<Record<string, unknown>>;

/** What one entry comes to; undefined for one that is only for Imager itself. */
type Entry =
  | OsItem
  | { readonly kind: "group"; readonly subitems: readonly unknown[]; readonly within: readonly string[] }
  | ({ readonly kind: "problem" } & OsProblem)
  | undefined;

/**
 * The entries of one list: "os_list", with their "subitems". What is wrong with one entry leaves out that entry, and is
 * told; Imager's own ("internal://format") are passed over. Throws Failure `invalid` for what is no list at all.
 *
 * @param within the names of the entries that the list stands in; they count for its depth
 */
export function parseOsList(text: string, within: readonly string[] = []): OsList {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Failure("invalid", "it is no JSON: a list of Raspberry Pi Imager is wanted", { cause });
  }
  if (!isFields(json) || !Array.isArray(json["os_list"]))
    throw new Failure("invalid", 'it has no "os_list": a list of Raspberry Pi Imager is wanted');
  const [items, problems]: [OsItem[], OsProblem[]] = [[], []];
  let seen = 0;
  const walk = (values: readonly unknown[], at: readonly string[]): void => {
    for (const value of values) {
      seen += 1;
      if (seen > mostEntries) return;
      const entry = readEntry(value, at);
      if (entry?.kind === "group") walk(entry.subitems, entry.within);
      else if (entry?.kind === "problem") problems.push({ name: entry.name, text: entry.text });
      else if (entry !== undefined) items.push(entry);
    }
  };
  walk(json["os_list"], within);
  if (seen > mostEntries)
    problems.push({ name: undefined, text: `it has more than ${mostEntries} entries; those after them are left out` });
  return { items, problems };
}

function readEntry(value: unknown, within: readonly string[]): Entry {
  const unnamed = (text: string): Entry => ({ kind: "problem", name: undefined, text });
  if (!isFields(value)) return unnamed("an entry is no object");
  const given = value["name"];
  if (typeof given !== "string" || given.trim() === "") return unnamed("an entry has no name");
  if (given.length > mostText)
    return unnamed(`an entry has a name of ${given.length} characters: ${JSON.stringify(cutText(given, 40))}`);
  if (/[\p{Cc}\p{Surrogate}]/u.test(given))
    return unnamed(`an entry has control characters in its name: ${JSON.stringify(cutText(given, 80))}`);
  const name = given.trim();
  const leftOut = (why: string): Entry => ({
    ...{ kind: "problem", name },
    text: `"${cutText(name, 80)}" is left out: ${why}`,
  });
  const read = createFieldReader(value);
  const entry = readNamed(value, name, within, read);
  return read.problem() === undefined ? entry : leftOut(read.problem() ?? "");
}

function readNamed(
  value: Fields,
  name: string,
  within: readonly string[],
  read: ReturnType<typeof createFieldReader>,
): Entry {
  const inner = [...within, name];
  const isGroup = Array.isArray(value["subitems"]);
  const [url, reference] = [read.text("url", mostAddress), read.text("subitems_url", mostAddress)];
  if (isGroup || (url === undefined && reference !== undefined)) {
    if (inner.length >= mostLevels) read.refuse(`its subitems are more than ${mostLevels} levels deep`);
    if (isGroup) return { kind: "group", subitems: value["subitems"] as unknown[], within: inner };
    return reference?.startsWith("internal:") ? undefined : { kind: "list", within: inner, reference: reference ?? "" };
  }
  if (url === undefined) read.refuse("it has no url, subitems or subitems_url");
  if (url === undefined || url.startsWith("internal:")) return undefined;
  const devices = Array.isArray(value["devices"]) ? value["devices"].slice(0, mostDevices) : [];
  return {
    kind: "image",
    entry: {
      ...{ name, within, url },
      description: read.text("description", mostText) ?? "",
      downloadSha256: read.digest("image_download_sha256"),
      downloadBytes: read.bytes("image_download_size"),
      extractSha256: read.digest("extract_sha256"),
      extractBytes: read.bytes("extract_size"),
      bmapUrl: read.text("bmap_url", mostAddress),
      devices: devices.filter((word) => typeof word === "string" && word.length <= 64),
      initFormat: read.text("init_format", 64),
      releaseDate: read.text("release_date", 64),
    },
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
