/** The first name that a user's number has in /etc/passwd (passwd(5)); undefined if it has none there. */
export function parseUserName(passwd: string, uid: number): string | undefined {
  for (const line of passwd.split("\n")) {
    const [name, , number] = line.split(":");
    if (number === String(uid) && name !== "") return name;
  }
  return undefined;
}
