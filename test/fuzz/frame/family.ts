import type fc from "fast-check";
import { Failure } from "../../../proto/failure.ts";

/** One parser of what comes from outside, what is thrown at it, and what has to hold whatever that is. */
export interface Family<Input> {
  /** Unique in all groups; says which parser: "tftp: packets". */
  readonly name: string;
  /** Valid inputs, nearly valid ones and rubbish; as large as what gets through the parser's door, now and then. */
  readonly inputs: fc.Arbitrary<Input>;
  /**
   * Calls the parser. Throws, or rejects, when something does not hold. It measures no time: an input that takes very
   * long is found from outside.
   */
  readonly check: (input: Input) => void | Promise<void>;
}

/** A family among others, whose inputs only it knows. */
export type AnyFamily = Family<unknown>;

/** Hides the type of a family's inputs. They must survive `v8.serialize`, so that they can be saved. */
export function family<Input>(definition: Family<Input>): AnyFamily {
  return definition as unknown as AnyFamily;
}

/** Refusals are shown to people, travel in gRPC's metadata and are kept in events: no input may make them long. */
const maxRefusalCharacters = 2_000;

/**
 * What a parser returns; undefined when it refuses with an error of one of the classes that it declares (Failure unless
 * given). Throws what it does not declare, and when a refusal repeats too much of what it refuses.
 */
export function unlessRefused<Result>(
  parse: () => Result,
  ...declared: readonly (abstract new (
    ...args: never[]
  ) => Error)[]
): Result | undefined {
  try {
    return parse();
  } catch (error) {
    judgeRefusal(error, declared);
    return undefined;
  }
}

/** The same for one that works in the background. */
export async function unlessRejected<Result>(
  parse: () => Promise<Result>,
  ...declared: readonly (abstract new (
    ...args: never[]
  ) => Error)[]
): Promise<Result | undefined> {
  try {
    return await parse();
  } catch (error) {
    judgeRefusal(error, declared);
    return undefined;
  }
}

function judgeRefusal(error: unknown, declared: readonly (abstract new (...args: never[]) => Error)[]): void {
  const classes = declared.length === 0 ? [Failure] : declared;
  if (!(error instanceof Error) || !classes.some((known) => error instanceof known)) throw error;
  const evidence = error instanceof Failure ? [error.evidence.expected ?? "", error.evidence.found ?? ""] : [];
  for (const text of [error.message, ...evidence]) {
    if (text.length > maxRefusalCharacters) {
      throw new Error(`a refusal has ${text.length} characters: ${text.slice(0, 200)}…`);
    }
  }
}
