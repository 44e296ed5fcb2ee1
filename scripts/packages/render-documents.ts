/** Something of others that is in a package. */
export interface Bundled {
  readonly name: string;
  readonly version: string;
  /** SPDX expression, or words. */
  readonly licence: string;
  /** What its authors ask to be kept with it; absent where that is elsewhere, which `licence` then says. */
  readonly text?: string;
}

/** A package's file "copyright" (Debian policy 12.5), without the text of the Apache License, which every Debian has. */
export function renderCopyright(introduction: string, bundled: readonly Bundled[]): string {
  return [
    "Pallet, Copyright 2026 The authors of Pallet",
    "",
    "Licensed under the Apache License, Version 2.0: on Debian systems, see",
    "/usr/share/common-licenses/Apache-2.0.",
    "",
    introduction,
    ...bundled.flatMap(({ name, version, licence, text }) => [
      "",
      `${name} ${version}: ${licence}`,
      ...(text === undefined ? [] : ["", text.trim()]),
    ]),
    "",
  ].join("\n");
}

/** The copyright notices of a licence's text that is kept in another place. */
export function selectNotices(text: string): string | undefined {
  // Not those of the licence itself: its appendix, and sentences about "copyright".
  const lines = text.split("\n").filter((line) => /^\s*(Copyright|©|\(c\))[^[\]]*\d{4}/i.test(line));
  return lines.length === 0 ? undefined : lines.map((line) => line.trim()).join("\n");
}

/**
 * A package's changelog (deb-changelog(5)): the source's history is in git, so it names the commit alone.
 *
 * @param maintainer "Name <address>"
 */
export function renderChangelog(
  version: string,
  { hash, committedAt }: { readonly hash: string; readonly committedAt: number },
  maintainer: string,
): string {
  const date = new Date(committedAt * 1000).toUTCString().replace(/GMT$/, "+0000");
  const lines = [
    `pallet (${version}) unstable; urgency=medium`,
    "",
    `  * Commit ${hash}.`,
    "",
    ` -- ${maintainer}  ${date}`,
  ];
  return `${lines.join("\n")}\n`;
}
