import { parseInclude } from "./parse-config-txt.ts";

/** More included files than any system has; a file that includes itself ends here too. */
const maximumIncludes = 64;
const maximumDepth = 8;

/**
 * The text of config.txt with that of every file that it includes in the place of the line, as the firmware reads it. A
 * file that is not there counts as empty, and so do those beyond the bounds.
 *
 * @param read returns the text of a file, whatever the case of its name, and undefined when there is none
 * @returns the text, and the names of the included files
 */
export async function expandIncludes(
  text: string,
  read: (name: string) => Promise<string | undefined>,
): Promise<{ readonly text: string; readonly included: readonly string[] }> {
  const included: string[] = [];
  const expand = async (part: string, depth: number): Promise<string> => {
    const lines: string[] = [];
    for (const line of part.split(/\r?\n/)) {
      const name = parseInclude(line);
      if (name === undefined) {
        lines.push(line);
        continue;
      }
      if (depth >= maximumDepth || included.length >= maximumIncludes) continue;
      included.push(name);
      lines.push(await expand((await read(name)) ?? "", depth + 1));
    }
    return lines.join("\n");
  };
  return { text: await expand(text, 0), included };
}
