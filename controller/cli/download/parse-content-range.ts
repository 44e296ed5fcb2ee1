/** What a Content-Range says (RFC 9110 section 14.4): the bytes that come, and of how many; numbers of bytes. */
export interface ContentRange {
  readonly first: number;
  readonly last: number;
  /** Undefined when the server does not know it ("*"). */
  readonly totalBytes: number | undefined;
}

/** The range that a 206 answer is of; undefined for anything else, an unsatisfied one ("bytes *\/9") included. */
export function parseContentRange(text: string): ContentRange | undefined {
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(text.trim()) ?? [];
  if (first === undefined || last === undefined || total === undefined) return undefined;
  const range = { first: Number(first), last: Number(last), totalBytes: total === "*" ? undefined : Number(total) };
  if (range.last < range.first || range.last >= (range.totalBytes ?? Number.POSITIVE_INFINITY)) return undefined;
  return range;
}
