/** At most `mostCharacters` UTF-16 code units of a text, with "…" for what was cut off. */
export function cutText(text: string, mostCharacters: number): string {
  if (text.length <= mostCharacters) return text;
  return `${text.slice(0, mostCharacters - 1).toWellFormed()}…`;
}
