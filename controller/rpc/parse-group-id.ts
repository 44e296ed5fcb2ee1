/** The number of a group in /etc/group (group(5)); undefined if it is not there. */
export function parseGroupId(group: string, name: string): number | undefined {
  for (const line of group.split("\n")) {
    const [found, , number = ""] = line.split(":");
    if (found === name && /^\d+$/.test(number)) return Number(number);
  }
  return undefined;
}
