import { escapeRoff, macro } from "./roff.ts";

/** A page of the manual. */
export interface ManualPage {
  /** "controller-reimage" */
  readonly name: string;
  /** 1 for commands, 5 for files. */
  readonly section: 1 | 5;
  /** In roff, with the macros of man(7). */
  readonly text: string;
}

/** What is the same in every page. */
export interface Edition {
  /** Of Pallet, as `--version` prints it. */
  readonly version: string;
  /** YYYY-MM-DD. The same date makes the same pages. */
  readonly date: string;
}

/** A section: its title, and its lines of roff. */
export type Section = readonly [title: string, lines: readonly string[]];

/** A page of the sections that are not empty. */
export function renderPage(
  { name, section, about, edition }: Pick<ManualPage, "name" | "section"> & { about: string; edition: Edition },
  sections: readonly Section[],
): ManualPage {
  const title = escapeRoff(name.toUpperCase());
  const source = escapeRoff(`Pallet ${edition.version}`);
  const lines = [
    '.\\" Made by Pallet from its own commands and settings; changes are lost.',
    macro("TH", title, String(section), edition.date, source, "Pallet"),
    macro("SH", "NAME"),
    // lexgrog(1) reads this line as it stands.
    `${escapeRoff(name)} \\- ${escapeRoff(about)}`,
    ...sections.flatMap(([heading, content]) => (content.length === 0 ? [] : [macro("SH", heading), ...content])),
  ];
  return { name, section, text: `${lines.join("\n")}\n` };
}

/** A term, and what is said about it. */
export function renderEntry(term: string, about: readonly string[]): readonly string[] {
  // A .TP without a body is none.
  return about.length === 0 ? [".PP", term] : [".TP", term, ...about];
}

/** References to other pages, in the order of man-pages(7): by section, then by name. */
export function renderSeeAlso(pages: readonly Pick<ManualPage, "name" | "section">[]): readonly string[] {
  const sorted = pages.toSorted((a, b) => a.section - b.section || (a.name < b.name ? -1 : 1));
  return sorted.map(({ name, section }, index) =>
    macro("BR", escapeRoff(name), `(${section})${index < sorted.length - 1 ? "," : ""}`),
  );
}
