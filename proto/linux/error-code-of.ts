/** The code that the system gave an error, such as "ENOENT" (errno(3)); undefined for an error without one. */
export function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
