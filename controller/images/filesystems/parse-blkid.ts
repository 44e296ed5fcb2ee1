/** What blkid(8) finds in a partition; empty strings for what it does not know. */
export interface FilesystemSignature {
  readonly type: string;
  readonly label: string;
  readonly uuid: string;
}

/**
 * Parses the output of `blkid --probe --output export`: KEY=value a line. Values come from the image and end up on
 * terminals: whatever is not printable is replaced by "?".
 */
export function parseBlkid(output: string): FilesystemSignature {
  const values = new Map<string, string>();
  for (const line of output.split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0) values.set(line.slice(0, equals), unescapeShell(line.slice(equals + 1)));
  }
  const value = (key: string) => (values.get(key) ?? "").replaceAll(/\p{C}/gu, "?").trim();
  return { type: value("TYPE"), label: value("LABEL"), uuid: value("UUID") };
}

/** blkid puts a backslash before what a shell would take for its own. */
function unescapeShell(value: string): string {
  return value.replaceAll(/\\(.)/g, "$1");
}
