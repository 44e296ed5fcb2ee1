import { userInfo } from "node:os";
import process from "node:process";

/**
 * Why a file or folder cannot be read, as a clause, with the remedy where it is another user's.
 *
 * @param code of the error: "EACCES"
 */
export function describeUnreadable(path: string, code: string): string {
  const said = `cannot be read (${code})`;
  if (code !== "EACCES" || process.getuid?.() === 0) return said;
  const { username } = userInfo();
  return `${said} by the user ${username}: chgrp ${username} ${path} && chmod g+rX ${path}`;
}
