import fc from "fast-check";

/** Numbers at which arithmetic on 8, 16, 32 and 64 bits goes wrong. */
const edges: readonly bigint[] = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x10000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

type Edit<Whole> = (whole: Whole) => Whole;

/** A place in a whole of any length. */
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const placeIn = (fraction: number, length: number): number => Math.floor(fraction * length);

const byteEdits = fc.oneof<fc.Arbitrary<Edit<Buffer<ArrayBufferLike>>>[]>(
  // A number of some width at some place, mostly aligned as fields of structures are.
  fc
    .record({
      at: place,
      bytes: fc.constantFrom(1, 2, 4, 8),
      value: fc.oneof(fc.constantFrom(...edges), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      isBig: fc.boolean(),
      isAligned: fc.boolean(),
    })
    .map(({ at, bytes, value, isBig, isAligned }) => (whole: Buffer) => {
      const start = isAligned ? placeIn(at, whole.length) & ~(bytes - 1) : placeIn(at, whole.length);
      if (start + bytes > whole.length) return whole;
      const number = Buffer.alloc(8);
      number.writeBigUInt64LE(value);
      const field = isBig ? number.subarray(0, bytes).reverse() : number.subarray(0, bytes);
      const edited = Buffer.from(whole);
      edited.set(field, start);
      return edited;
    }),
  fc.tuple(place, fc.integer({ min: 0, max: 7 })).map(([at, bit]) => (whole: Buffer) => {
    const edited = Buffer.from(whole);
    const index = placeIn(at, whole.length);
    if (index < edited.length) edited[index] = (edited[index] ?? 0) ^ (1 << bit);
    return edited;
  }),
  place.map((at) => (whole: Buffer) => whole.subarray(0, placeIn(at, whole.length))),
  fc.tuple(place, place, place).map(([from, to, at]) => (whole: Buffer) => {
    // A part again, elsewhere.
    const [start, end] = [placeIn(from, whole.length), placeIn(to, whole.length)].sort((a, b) => a - b);
    const edited = Buffer.from(whole);
    edited.set(
      whole.subarray(start, end).subarray(0, whole.length - placeIn(at, whole.length)),
      placeIn(at, whole.length),
    );
    return edited;
  }),
  fc.tuple(place, fc.uint8Array({ maxLength: 16 })).map(([at, bytes]) => (whole: Buffer) => {
    const index = placeIn(at, whole.length);
    return Buffer.concat([whole.subarray(0, index), bytes, whole.subarray(index)]);
  }),
  fc.tuple(place, fc.integer({ min: 1, max: 64 })).map(([at, length]) => (whole: Buffer) => {
    const index = placeIn(at, whole.length);
    return Buffer.concat([whole.subarray(0, index), whole.subarray(index + length)]);
  }),
);

/**
 * Valid bytes with a few edits, and sometimes none: fields with extreme values, bits flipped, the end cut off, parts
 * repeated, inserted and left out.
 */
export function mutatedBytes(...samples: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(byteEdits, { maxLength: 5 }))
    .map(([sample, edits]) => edits.reduce<Buffer>((whole, edit) => edit(whole), Buffer.from(sample)));
}

/**
 * The same, with most edits where the fields are: of a structure in which several have to agree before a parser goes on.
 *
 * @param fields offset and width, in bytes, little-endian
 */
export function mutatedFields(
  sample: Uint8Array,
  fields: readonly (readonly [at: number, bytes: 1 | 2 | 4 | 8])[],
): fc.Arbitrary<Buffer> {
  const value = fc.oneof(
    fc.constantFrom(...edges),
    fc.bigInt({ min: 0n, max: 64n }),
    fc.nat(63).map((bit) => 1n << BigInt(bit)),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  );
  const fieldEdit = fc.tuple(fc.constantFrom(...fields), value).map(([[at, bytes], number]) => (whole: Buffer) => {
    const field = Buffer.alloc(8);
    field.writeBigUInt64LE(number);
    if (at + bytes <= whole.length) whole.set(field.subarray(0, bytes), at);
    return whole;
  });
  return fc
    .tuple(fc.array(fieldEdit, { maxLength: 6 }), fc.array(byteEdits, { maxLength: 1 }))
    .map((lists) => lists.flat().reduce<Buffer>((whole, edit) => edit(whole), Buffer.from(sample)));
}

/** Characters that parsers of text treat in ways of their own, and such that only look alike. */
const oddText = fc.constantFrom(
  "",
  " ",
  "  ",
  "\t",
  "\n",
  "\r\n",
  "\0",
  "\x7f",
  "\x1b[2J",
  "\u00a0",
  "\u2028",
  "\u202e",
  "\ufeff",
  "\ufffd",
  "\ud800",
  "é",
  "ſ",
  "K",
  "İ",
  "💥",
  "/",
  "\\",
  "..",
  "../",
  "%2e%2e%2f",
  "%",
  "-",
  "--",
  "=",
  ",",
  ":",
  ";",
  "'",
  '"',
  "`",
  "$(x)",
  "#",
  "*",
  "**",
  "?",
  "[",
  "]",
  "{",
  "}",
  "(",
  ")",
  "<",
  ">",
  "&",
  "|",
  "!",
  "~",
  "0",
  "-1",
  "1e308",
  "NaN",
  "Infinity",
  "0x10",
  "9007199254740993",
  "18446744073709551616",
  "1".repeat(400),
  "null",
  "true",
  "undefined",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
);

function textEdits(words: fc.Arbitrary<string>, maxCharacters: number): fc.Arbitrary<Edit<string>> {
  return fc.oneof(
    fc.tuple(place, words).map(([at, word]) => (whole: string) => {
      const index = placeIn(at, whole.length + 1);
      return whole.slice(0, index) + word + whole.slice(index);
    }),
    fc.tuple(place, words, fc.integer({ min: 1, max: 8 })).map(([at, word, length]) => (whole: string) => {
      const index = placeIn(at, whole.length);
      return whole.slice(0, index) + word + whole.slice(index + length);
    }),
    fc.tuple(place, fc.integer({ min: 1, max: 40 })).map(([at, length]) => (whole: string) => {
      const index = placeIn(at, whole.length);
      return whole.slice(0, index) + whole.slice(index + length);
    }),
    place.map((at) => (whole: string) => whole.slice(0, placeIn(at, whole.length))),
    // A part again and again, as much as the door lets in: what makes an expression go back and forth.
    fc
      .tuple(place, fc.integer({ min: 1, max: 12 }), fc.constantFrom(2, 10, 100, maxCharacters))
      .map(([at, length, times]) => (whole: string) => {
        const index = placeIn(at, whole.length);
        const unit = whole.slice(index, index + length);
        if (unit === "") return whole;
        const count = Math.min(times, Math.floor(Math.max(0, maxCharacters - whole.length) / unit.length));
        return whole.slice(0, index) + unit.repeat(count) + whole.slice(index);
      }),
  );
}

/**
 * Valid texts with a few edits, and sometimes none, and rubbish.
 *
 * @param options.words what means something to the parser
 * @param options.maxCharacters most that gets through its door
 */
export function mutatedText(
  samples: readonly string[],
  { words = [], maxCharacters = 4096 }: { readonly words?: readonly string[]; readonly maxCharacters?: number } = {},
): fc.Arbitrary<string> {
  const word =
    words.length === 0
      ? oddText
      : fc.oneof(oddText, fc.constantFrom(...words), fc.string({ unit: "binary", maxLength: 4 }));
  const edits = textEdits(word, maxCharacters);
  const mutated = fc
    .tuple(fc.constantFrom(...samples), fc.array(edits, { maxLength: 5 }))
    .map(([sample, list]) => list.reduce((whole, edit) => edit(whole), sample));
  // A beginning, a part that repeats, and an end that does not fit.
  const pumped = fc
    .tuple(
      fc.array(word, { maxLength: 3 }),
      fc.array(word, { minLength: 1, maxLength: 3 }),
      word,
      fc.constantFrom(20, 400, maxCharacters),
    )
    .map(([start, unit, end, length]) => {
      const repeated = unit.join("") || " ";
      return start.join("") + repeated.repeat(Math.ceil(length / repeated.length)) + end;
    });
  const several = fc.array(word, { maxLength: 12 }).map((list) => list.join(""));
  return fc
    .oneof({ weight: 6, arbitrary: mutated }, { weight: 2, arbitrary: several }, { weight: 1, arbitrary: pumped })
    .map((text) => text.slice(0, maxCharacters));
}

/** What a leaf of a message may be instead, as gRPC can bring it. */
type Leaf = (value: unknown, dice: { readonly number: number; readonly text: string }) => unknown;

const leaves: readonly (readonly [is: (value: unknown) => boolean, other: Leaf])[] = [
  [(value) => typeof value === "bigint", (_, { number }) => edges[number % edges.length]],
  [
    (value) => typeof value === "number" && Number.isInteger(value),
    (_, { number }) => [0, 1, -1, 2, 255, 65_536, 2 ** 31 - 1, -(2 ** 31), 2 ** 32 - 1][number % 9],
  ],
  [
    (value) => typeof value === "number",
    (_, { number }) =>
      [0, -0, 1e308, -1e308, 5e-324, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY][number % 8],
  ],
  [
    (value) => typeof value === "string",
    (value, { number, text }) =>
      ["", text, `${value}${text}`, `${text}${value}`, text.repeat(1_000), "x".repeat(300_000)][
        number % 6
      ]?.toWellFormed(),
  ],
  [(value) => typeof value === "boolean", (value) => !value],
  [
    (value) => value instanceof Date,
    (_, { number }) =>
      [new Date(Number.NaN), new Date(8.64e15), new Date(-8.64e15), new Date(0), undefined][number % 5],
  ],
  [(value) => value instanceof Uint8Array, (_, { number, text }) => Buffer.from(text.repeat(1 + (number % 1_000)))],
  [
    Array.isArray,
    (value, { number }) => {
      const items = value as readonly unknown[];
      const times = [0, 2, 20, 1_500, 20_000][number % 5] ?? 0;
      return Array.from({ length: items.length === 0 ? 0 : times }, (_, index) => items[index % items.length]);
    },
  ],
];

/** A place in a message at which something else can stand, and the way to put it there. */
interface Place {
  readonly value: unknown;
  readonly canBeMissing: boolean;
  readonly put: (other: unknown) => void;
}

function placesIn(holder: object): readonly Place[] {
  return Object.entries(holder)
    .filter(([key]) => key !== "$case")
    .flatMap(([key, value]: [string, unknown]) => {
      const isPlain =
        typeof value !== "object" || value === null || value instanceof Date || value instanceof Uint8Array;
      // A list has no gaps, and the value of a oneof is what names it.
      const canBeMissing = !Array.isArray(holder) && key !== "value" && !isPlain && !Array.isArray(value);
      const own: Place = { value, canBeMissing, put: (other) => Object.assign(holder, { [key]: other }) };
      return isPlain ? [own] : [own, ...placesIn(value)];
    });
}

/**
 * A message as it may come over gRPC: a valid one with other values of the same types at some places, with messages that
 * are missing, lists that are long and times that are none.
 */
export function mutatedMessage<Message>(...samples: readonly Message[]): fc.Arbitrary<Message> {
  const dice = fc.record({ at: place, number: fc.nat(1_000), text: oddText, isMissing: fc.boolean() });
  return fc.tuple(fc.constantFrom(...samples), fc.array(dice, { maxLength: 4 })).map(([sample, throws]) => {
    const whole = { message: structuredClone(sample) };
    for (const { at, number, text, isMissing } of throws) {
      const places = placesIn(whole).slice(1);
      const chosen = places[placeIn(at, places.length)];
      if (chosen === undefined) continue;
      const other = leaves.find(([is]) => is(chosen.value))?.[1];
      if (other !== undefined) chosen.put(other(chosen.value, { number, text }));
      else if (isMissing && chosen.canBeMissing) chosen.put(undefined);
    }
    return whole.message;
  });
}
