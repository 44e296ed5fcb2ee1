/** A word as a POSIX shell has to be given it, so that a command in a message can be copied as it stands. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
