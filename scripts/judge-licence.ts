/** A package of npm's lock file. */
export interface Dependency {
  readonly name: string;
  readonly version: string;
  /** As an SPDX expression; undefined where the package says nothing. */
  readonly licence: string | undefined;
  /** Whether it only builds and tests, and is no part of what runs on a rack. */
  readonly dev: boolean;
}

/**
 * What may go into Pallet's binaries, which are under Apache-2.0: licences that ask for their text and a name, and for
 * nothing of the code beside them.
 */
export const allowedLicences: readonly string[] = [
  ...["Apache-2.0", "MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0"],
  ...["Unlicense", "CC0-1.0", "Zlib", "Python-2.0"],
];

/** Whether an SPDX expression (https://spdx.github.io/spdx-spec, annex D) can be met by allowed licences alone. */
export function isAllowed(expression: string, allowed: readonly string[] = allowedLicences): boolean {
  const words = expression.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const one = (): boolean => {
    const word = words[at++];
    if (word !== "(") return word !== undefined && allowed.includes(word);
    const within = either();
    return words[at++] === ")" && within;
  };
  const all = (): boolean => {
    let met = one();
    while (words[at] === "AND") {
      at += 1;
      met = one() && met;
    }
    return met;
  };
  function either(): boolean {
    let met = all();
    while (words[at] === "OR") {
      at += 1;
      met = all() || met;
    }
    return met;
  }
  const met = either();
  // What was not understood, such as an exception (WITH), is not allowed.
  return met && at === words.length;
}

/** The packages in a package-lock.json of version 3, each once for each version of it, by name. */
export function parseLock(text: string): readonly Dependency[] {
  const { packages } = JSON.parse(text) as {
    readonly packages: Readonly<Record<string, { version?: string; license?: string; dev?: boolean }>>;
  };
  const found = new Map<string, Dependency>();
  for (const [path, { version = "", license, dev = false }] of Object.entries(packages)) {
    if (path === "") continue;
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    const before = found.get(`${name}@${version}`);
    found.set(`${name}@${version}`, { name, version, licence: license, dev: dev && (before?.dev ?? true) });
  }
  return [...found.values()].toSorted((one, other) => one.name.localeCompare(other.name, "en"));
}
