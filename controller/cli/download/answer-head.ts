/** The head of an HTTP answer; field names in lower case. */
export interface AnswerHead {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** A field of an answer; the first one where there are several. */
export function fieldOf({ headers }: AnswerHead, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" || value === undefined ? value : value[0];
}

/** Whether asking again later may help: the server is overloaded, restarting or slow. */
export function isTemporary({ statusCode }: AnswerHead): boolean {
  return [408, 425, 429].includes(statusCode) || statusCode >= 500;
}
