/** The end of a text that may be long. */
export interface Tail {
  add(bytes: Uint8Array): void;
  /** At most so many characters; "…" stands for what was before them. */
  text(): string;
}

/** Keeps the last `mostCharacters` UTF-16 code units of what is added, and no more memory than that takes. */
export function createTail(mostCharacters: number): Tail {
  const decoder = new TextDecoder();
  let kept = "";
  let isCut = false;
  return {
    add(bytes) {
      const all = kept + decoder.decode(bytes, { stream: true });
      isCut ||= all.length >= mostCharacters;
      kept = all.slice(-(mostCharacters - 1));
    },
    text() {
      const end = kept.trimEnd().toWellFormed();
      return isCut ? `…${end}` : end.trimStart();
    },
  };
}
