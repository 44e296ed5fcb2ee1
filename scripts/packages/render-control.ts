import type { DebianPackage } from "./debian-package.ts";

const lineWidth = 79;

/** Who the packages are from. */
export const maintainer = "The authors of Pallet <pallet@localhost>";

/**
 * The control file of a package (deb-control(5)).
 *
 * @param installedBytes what its files take, in bytes
 */
export function renderControl(
  { name, version, architecture, depends, recommends = [], suggests = [], summary, description }: DebianPackage,
  installedBytes: number,
): string {
  const relations = [
    ["Depends", depends],
    ["Recommends", recommends],
    ["Suggests", suggests],
  ] as const;
  return [
    `Package: ${name}`,
    "Source: pallet",
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    `Maintainer: ${maintainer}`,
    `Installed-Size: ${Math.ceil(installedBytes / 1024)}`,
    ...relations.flatMap(([field, names]) => (names.length === 0 ? [] : [`${field}: ${names.join(", ")}`])),
    "Section: admin",
    "Priority: optional",
    `Description: ${summary}`,
    ...description
      .map((paragraph) => wrap(paragraph).join("\n"))
      .join("\n .\n")
      .split("\n"),
    "",
  ].join("\n");
}

/** A paragraph of a long description: lines that begin with a space. */
function wrap(paragraph: string): readonly string[] {
  const lines: string[] = [];
  for (const word of paragraph.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > lineWidth) lines.push(` ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
