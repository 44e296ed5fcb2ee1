/** Text out of an image, as a sentence can carry it: at most 200 characters, "?" for each that does not print. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, "?").slice(0, 200);
}
