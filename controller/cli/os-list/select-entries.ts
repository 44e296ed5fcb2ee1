import { cutText } from "../../../proto/cut-text.ts";
import { Failure } from "../../../proto/failure.ts";
import { type Catalogue, type FoundEntry, pathOf } from "./os-list.ts";

/** The images in whose names, descriptions or devices every word occurs, whatever its case. */
export function selectEntries(entries: readonly FoundEntry[], words: readonly string[]): readonly FoundEntry[] {
  const wanted = words.map((word) => word.toLowerCase());
  return entries.filter((entry) => {
    const text = [pathOf(entry), entry.description, ...entry.devices].join("\n").toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

/**
 * The image of this name, or of these names from the top ("Other / Debian"), whatever their case. Throws Failure
 * `invalid` if there is none, if it cannot be used, or if there are several.
 *
 * @param from the list, for messages
 */
export function chooseEntry({ entries, problems }: Catalogue, name: string, from: string): FoundEntry {
  const wanted = name.trim().toLowerCase();
  const named = entries.filter((entry) => [entry.name, pathOf(entry)].some((text) => text.toLowerCase() === wanted));
  const shown = cutText(name, 80);
  const [only] = named;
  if (only === undefined) {
    const unusable = problems.find((problem) => problem.name?.toLowerCase() === wanted);
    if (unusable !== undefined) throw new Failure("invalid", `${from} is wrong: ${unusable.text}`);
    const incomplete =
      problems.length === 0 ? "" : ` (not all of it could be used: ${cutText(problems[0]?.text ?? "", 200)})`;
    throw new Failure(
      "invalid",
      `${from} has no image "${shown}"${incomplete}: see what there is with: controller images search --from LIST`,
    );
  }
  // Lists name popular images in several places.
  if (named.every(({ url, extractSha256 }) => url === only.url && extractSha256 === only.extractSha256)) return only;
  const paths = [...new Set(named.map(pathOf))];
  const more = paths.length > 8 ? `, and ${paths.length - 8} more` : "";
  throw new Failure(
    "invalid",
    `there are several images "${shown}" in ${from}: ` +
      (paths.length === 1
        ? "all in one place, so none can be named: give the address of the one that is meant"
        : `give one of ${paths
            .slice(0, 8)
            .map((text) => `"${text}"`)
            .join(", ")}${more}`),
  );
}
