/**
 * The name of an operating system for people, from os-release(5): PRETTY_NAME, else NAME and VERSION, else undefined.
 * At most 120 printable characters, since it comes from inside an image.
 */
export function parseOperatingSystem(osRelease: string): string | undefined {
  const values = new Map<string, string>();
  for (const line of osRelease.split("\n")) {
    const match = /^\s*([A-Z_]+)=(.*)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) values.set(match[1], unquote(match[2].trim()));
  }
  const name = values.get("PRETTY_NAME") ?? [values.get("NAME"), values.get("VERSION")].filter(Boolean).join(" ");
  const printable = name.replaceAll(/\p{C}/gu, "?").trim().slice(0, 120);
  return printable === "" ? undefined : printable;
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(value);
  return (quoted?.[2] ?? value).replaceAll(/\\([\\"'`$])/g, "$1");
}
