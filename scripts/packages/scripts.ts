import { type DebianPackage, scriptNames } from "./debian-package.ts";

/**
 * The maintainer scripts of a package, from the texts of files called `<package>.<script>`, with "@NAME@" replaced by
 * its value. Throws for one without a value.
 */
export function fillScripts(
  name: string,
  texts: Readonly<Record<string, string>>,
  values: Readonly<Record<string, string>>,
): DebianPackage["scripts"] {
  const filled = scriptNames.flatMap((script) => {
    const text = texts[`${name}.${script}`];
    return text === undefined ? [] : [[script, fill(text, values)] as const];
  });
  return Object.fromEntries(filled);
}

function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/@([A-Z]+)@/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`a maintainer script wants @${name}@, which has no value`);
    return value;
  });
}
