/** Primary result codes of SQLite: https://www.sqlite.org/rescode.html */
export const sqlite = {
  busy: 5,
  locked: 6,
  readonly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notDatabase: 26,
} as const;

/** The primary result code of an error of SQLite's, or the one that means the same as an error of the system's. */
export function resultCode(error: unknown): number | undefined {
  const { errcode, code } = error as { readonly errcode?: unknown; readonly code?: unknown };
  if (typeof errcode === "number") return errcode & 0xff;
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return sqlite.full;
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return sqlite.readonly;
    case "EIO":
      return sqlite.ioError;
    default:
      return undefined;
  }
}
