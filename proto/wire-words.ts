/** The words of a kind in the code, and the values of the enum that they travel as. */
export interface WireWords<Word extends string, Value extends number> {
  readonly toWire: (word: Word) => Value;
  /** Undefined for a value that only a newer peer knows, and for "unspecified" where no word stands for it. */
  readonly fromWire: (value: number) => Word | undefined;
}

/** Makes both ways of one table. */
export function wireWords<Word extends string, Value extends number>(
  values: Readonly<Record<Word, Value>>,
): WireWords<Word, Value> {
  const words = new Map<number, Word>((Object.keys(values) as Word[]).map((word) => [values[word], word]));
  return { toWire: (word) => values[word], fromWire: (value) => words.get(value) };
}
