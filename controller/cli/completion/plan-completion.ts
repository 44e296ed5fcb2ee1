import type { CommandShape, OptionShape, ValueShape } from "../tree/command-shape.ts";
import { sourceOf, type ValueSource } from "./value-source.ts";

/** An option as shells complete it. */
export interface PlannedOption {
  /** "-l", "--selector": the same option under each of them. */
  readonly names: readonly string[];
  /** Absent for an option that takes no value. */
  readonly value?: { readonly name: string; readonly source: ValueSource };
  readonly isRepeatable: boolean;
  readonly description: string;
}

/** What may stand at one place of a command line. */
export interface PlannedOperand {
  readonly name: string;
  readonly sources: readonly ValueSource[];
  readonly isRepeated: boolean;
}

/** A command as shells complete it. */
export interface PlannedCommand {
  /** The words that call it, after the program's name, in each spelling; ["images show", "image show"]. */
  readonly calls: readonly [string, ...string[]];
  /** The commands below it, by the name that help uses. */
  readonly below: readonly { readonly name: string; readonly summary: string }[];
  /** With those of the program. */
  readonly options: readonly PlannedOption[];
  /** In their order; only the last may be repeated. */
  readonly operands: readonly PlannedOperand[];
}

/** What scripts of completion are rendered from: everything that the tree of commands says. */
export interface CompletionPlan {
  readonly program: string;
  /** The program itself first, called by "". */
  readonly commands: readonly PlannedCommand[];
  /** The names of options that take a value, of whichever command. */
  readonly namesWithValue: readonly string[];
}

/**
 * Plans the completion of a program.
 *
 * @throws Error for an option that takes a value in one command only: shells tell options from operands before they know
 * the command
 */
export function planCompletion(program: CommandShape): CompletionPlan {
  const commands = planBelow(program, [""], program);
  return { program: program.words[0] ?? "", commands, namesWithValue: namesWithValue(commands) };
}

function planBelow(command: CommandShape, calls: PlannedCommand["calls"], program: CommandShape): PlannedCommand[] {
  const inherited = command === program ? [] : program.options.filter(({ long }) => long !== "--version");
  const own = command.options.filter(({ long }) => !inherited.some((option) => option.long === long));
  return [
    {
      calls,
      below: command.commands.map(({ words, summary }) => ({ name: words.at(-1) ?? "", summary })),
      options: [...own, ...inherited].map(planOption),
      operands: planOperands(command, program),
    },
    ...command.commands.flatMap((child) => planBelow(child, callsOf(calls, child), program)),
  ];
}

/** Every spelling of a command below those of the one above it. */
function callsOf(above: PlannedCommand["calls"], { words, aliases }: CommandShape): PlannedCommand["calls"] {
  const names = [words.at(-1) ?? "", ...aliases];
  return above.flatMap((call) => names.map((name) => `${call} ${name}`.trim())) as unknown as PlannedCommand["calls"];
}

function planOption({ short, long, value, isRepeatable, description }: OptionShape): PlannedOption {
  return {
    names: [short, long].filter((name) => name !== undefined),
    ...(value !== undefined && { value: { name: value.name, source: planValue(value) } }),
    isRepeatable,
    description,
  };
}

function planValue({ name, choices }: ValueShape): ValueSource {
  return choices.length > 0 ? { from: "words", words: choices } : sourceOf(name);
}

/** The operands that a usage shows: "[NODE...] agent|local", "<node> <name>". */
function planOperands({ usage, arguments: own, commands }: CommandShape, program: CommandShape): PlannedOperand[] {
  const tokens = usage.split(" ").filter((token) => !["", "[options]"].includes(token));
  const described = tokens.map((token) => {
    const isRepeated = token.includes("...");
    const name = token.replace(/^\[(.*)\]$|^<(.*)>$/, "$1$2").replace("...", "");
    return { name, isRepeated };
  });
  const planned = described.flatMap(({ name, isRepeated }): PlannedOperand[] => {
    if (name === "command") {
      if (commands.length > 0) return [];
      const source = { from: "words", words: program.commands.map(({ words }) => words.at(-1) ?? "") } as const;
      return [{ name, sources: [source], isRepeated }];
    }
    const choices = own.find((argument) => argument.name === name)?.choices ?? [];
    if (choices.length > 0) return [{ name, sources: [{ from: "words", words: choices }], isRepeated }];
    return [{ name, sources: sourcesOf(name), isRepeated }];
  });
  const several = planned.findIndex(({ isRepeated }) => isRepeated);
  if (several < 0) return planned;
  // Nobody can tell how many come before what follows a repeated one, so from there on each may be any of them.
  const mixed = planned.slice(several);
  return [
    ...planned.slice(0, several),
    {
      name: mixed.map(({ name }) => name).join(" or "),
      sources: mixed.flatMap(({ sources }) => sources).filter(({ from }) => from !== "nowhere" || mixed.length === 1),
      isRepeated: true,
    },
  ];
}

/** Alternatives: words as they are typed, or placeholders in capitals. */
function sourcesOf(name: string): readonly ValueSource[] {
  const alternatives = name.split("|");
  if (alternatives.length === 1) return [sourceOf(name)];
  const literal = alternatives.filter((word) => /^[a-z]/.test(word));
  const placeholders = alternatives.filter((word) => !literal.includes(word));
  return [...(literal.length === 0 ? [] : [{ from: "words", words: literal } as const]), ...placeholders.map(sourceOf)];
}

function namesWithValue(commands: readonly PlannedCommand[]): readonly string[] {
  const options = commands.flatMap((command) => command.options);
  const names = (wanted: boolean) =>
    new Set(options.filter(({ value }) => (value !== undefined) === wanted).flatMap((option) => option.names));
  const [taking, bare] = [names(true), names(false)];
  const both = [...taking].filter((name) => bare.has(name));
  if (both.length > 0) throw new Error(`${both.join(", ")}: a value in one command, none in another; rename one`);
  return [...taking].toSorted();
}
