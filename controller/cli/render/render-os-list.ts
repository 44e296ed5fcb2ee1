import { type OsEntry, type OsProblem, pathOf } from "../os-list/os-list.ts";
import { printable } from "./printable.ts";
import type { Look } from "./style.ts";
import { renderTable } from "./table.ts";
import { formatBytes } from "./units.ts";

/** So many problems of a list are told; of the others, how many there are. */
const mostProblems = 10;

/** Images of a list as a table; their names in full, to be copied. */
export function renderEntries(entries: readonly OsEntry[], look: Look): string[] {
  return renderTable(
    [
      { title: "NAME" },
      { title: "DOWNLOAD", align: "right" },
      { title: "SIZE", align: "right" },
      { title: "RELEASED", isOptional: true },
      { title: "INIT", isOptional: true },
      { title: "DEVICES", shrinkTo: 12, isOptional: true },
      { title: "IN", shrinkTo: 8, isOptional: true },
    ],
    entries.map((entry) => [
      entry.name,
      entry.downloadBytes === undefined ? "" : formatBytes(entry.downloadBytes),
      entry.extractBytes === undefined ? "" : formatBytes(entry.extractBytes),
      entry.releaseDate ?? "",
      entry.initFormat ?? "",
      entry.devices.join(","),
      entry.within.join(" / "),
    ]),
    look,
  );
}

/** What of a list was left out, and why. */
export function renderProblems(problems: readonly OsProblem[]): string[] {
  const more = problems.length - mostProblems;
  return [
    ...problems.slice(0, mostProblems).map(({ text }) => `note: ${printable(text)}`),
    ...(more > 0 ? [`note: ${more} more problems of the list; --json tells them all`] : []),
  ];
}

/**
 * What a list says of the image that is about to be added. For which boards it is and how Imager would customise it are
 * its author's words: plans judge each node by what is in the image.
 *
 * @param sha256 the digest that will be checked; undefined if the list has none
 */
export function renderChosen(entry: OsEntry, sha256: string | undefined): string[] {
  const { devices, initFormat, releaseDate } = entry;
  const said = [
    ...(releaseDate === undefined ? [] : [`released ${releaseDate}`]),
    `devices: ${devices.length === 0 ? "none named" : devices.join(", ")}`,
    `init_format: ${initFormat ?? "none named"}`,
  ];
  return [
    printable(`From the list: ${pathOf(entry)} (${said.join("; ")}).`),
    ...(sha256 === undefined
      ? ["note: the list has no digest of this image, so nothing but the transfer vouches for it"]
      : []),
  ];
}
