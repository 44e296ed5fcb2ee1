/** Boards that can be nodes, called as their filters in config.txt; "pi2" is the 64-bit one, revision 1.2. */
export const piBoards = [
  "pi2",
  "pi3",
  "pi3+",
  "cm3",
  "cm3+",
  "pi02",
  "pi4",
  "pi400",
  "cm4",
  "cm4s",
  "pi5",
  "pi500",
  "cm5",
] as const;

export type PiBoard = (typeof piBoards)[number];

/** Whether the text is the name of a board. */
export function isPiBoard(text: string): text is PiBoard {
  return (piBoards as readonly string[]).includes(text);
}

/** Names that device trees give the boards, behind "Raspberry Pi "; the first that begins a model is its board. */
const modelNames: readonly (readonly [RegExp, PiBoard])[] = [
  [/^2\b/, "pi2"],
  [/^3 Model [AB] Plus\b/, "pi3+"],
  [/^3\b/, "pi3"],
  [/^Zero 2\b/, "pi02"],
  [/^Compute Module 3 Plus\b/, "cm3+"],
  [/^Compute Module 3\b/, "cm3"],
  [/^4\b/, "pi4"],
  [/^400\b/, "pi400"],
  [/^Compute Module 4S\b/, "cm4s"],
  [/^Compute Module 4\b/, "cm4"],
  [/^500\b/, "pi500"],
  [/^5\b/, "pi5"],
  [/^Compute Module 5\b/, "cm5"],
];

/**
 * Which board a model is, as device trees name it: "Raspberry Pi 4 Model B Rev 1.4". Undefined for one that is not known.
 */
export function piBoardOf(model: string): PiBoard | undefined {
  const name = /^Raspberry Pi (.*)$/.exec(model)?.[1] ?? "";
  return modelNames.find(([pattern]) => pattern.test(name))?.[1];
}

/** How people call the kinds of boards, in this order. */
const kinds: readonly (readonly [string, readonly PiBoard[]])[] = [
  ["Pi 2", ["pi2"]],
  ["Pi 3", ["pi3", "pi3+", "cm3", "cm3+"]],
  ["Zero 2 W", ["pi02"]],
  ["Pi 4", ["pi4", "pi400", "cm4", "cm4s"]],
  ["Pi 5", ["pi5", "pi500", "cm5"]],
];

/** The boards for a sentence: "Pi 3, Pi 4". A kind stands for all boards of its chip. */
export function nameBoards(boards: readonly PiBoard[]): string {
  return kinds
    .filter(([, of]) => of.some((board) => boards.includes(board)))
    .map(([name]) => name)
    .join(", ");
}
