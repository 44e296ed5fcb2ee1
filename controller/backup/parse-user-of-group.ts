/** The number of the first user in /etc/passwd (passwd(5)) whose own group this is; undefined where it is nobody's. */
export function parseUserOfGroup(passwd: string, gid: number): number | undefined {
  for (const line of passwd.split("\n")) {
    const [name, , uid, group] = line.split(":");
    if (name !== "" && group === String(gid) && /^\d+$/.test(uid ?? "")) return Number(uid);
  }
  return undefined;
}
