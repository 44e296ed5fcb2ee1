/** The code's words for a kind, and the enum values that stand for them on the wire. */
export interface WireWords<Word extends string, Value extends number> {
  readonly toWire: (word: Word) => Value;
  /** Undefined for a value that only a newer peer knows, and for "unspecified" where no word stands for it. */
  readonly fromWire: (value: number) => Word | undefined;
}

/** Makes both directions of the mapping from one table. */
export function wireWords<Word extends string, Value extends number>(
  values: Readonly<Record<Word, Value>>,
): WireWords<Word, Value> {
  const words = new Map<number, Word>((Object.keys(values) as Word[]).map((word) => [values[word], word]));
  return { toWire: (word) => values[word], fromWire: (value) => words.get(value) };
}
