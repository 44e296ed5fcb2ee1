/** What stands for a value on a command line. */
export interface ValueShape {
  /** Its placeholder without brackets: "file", "host[:port]", "nodes". It says what may stand there. */
  readonly name: string;
  readonly isRequired: boolean;
  /** Whether several may follow each other. */
  readonly isRepeated: boolean;
  /** The only values that are valid; empty where others are, too. */
  readonly choices: readonly string[];
}

/** An option as people read about it. */
export interface OptionShape {
  /** "-l" */
  readonly short?: string;
  /** "--selector", or "--no-grow" */
  readonly long?: string;
  /** Absent for an option that takes none. */
  readonly value?: ValueShape;
  /** Whether it means more when it is given again. */
  readonly isRepeatable: boolean;
  /** One sentence or two, without a period at the end; with its choices and its default. */
  readonly description: string;
  /** The heading under which help lists it, without its colon; empty for the usual one. */
  readonly group: string;
}

/** An argument of a command. */
export interface ArgumentShape extends ValueShape {
  readonly description: string;
}

/** A command as it was declared, and those below it: what help, manual pages and completion are made from. */
export interface CommandShape {
  /** The words that call it: ["controller", "node", "show"]. */
  readonly words: readonly string[];
  /** Other names for the last of these words. */
  readonly aliases: readonly string[];
  /** What follows the words: "[options] [NODE...] DEVICE". */
  readonly usage: string;
  /** One line. */
  readonly summary: string;
  /** Paragraphs, the summary before them. */
  readonly description: string;
  /** The heading under which help lists it, without its colon. */
  readonly group: string;
  readonly arguments: readonly ArgumentShape[];
  /** Its own, without those of the commands above it. */
  readonly options: readonly OptionShape[];
  /** What help shows below the options. */
  readonly after: string;
  readonly commands: readonly CommandShape[];
}

/** A command and all below it, each before what is below it. */
export function everyCommand(command: CommandShape): readonly CommandShape[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** Whether it only holds other commands: alone it does nothing. */
export function isGroup({ commands, options, arguments: own }: CommandShape): boolean {
  return commands.length > 0 && own.length === 0 && options.every(({ long }) => long === "--help");
}
