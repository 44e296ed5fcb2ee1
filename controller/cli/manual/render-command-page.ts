import { type CommandShape, everyCommand, isGroup, type OptionShape } from "../tree/command-shape.ts";
import { type Example, readAfter } from "../tree/read-after.ts";
import { type Edition, type ManualPage, renderEntry, renderPage, renderSeeAlso, type Section } from "./page.ts";
import { bold, escapeRoff, italic, macro, renderParagraphs, renderProse, renderUsage, wrap } from "./roff.ts";

/** A path, and what is there. */
export type FileEntry = readonly [path: string, about: string];

/** What pages need beyond the command that they are about. */
export interface Surroundings {
  readonly edition: Edition;
  /** The program, above all commands. */
  readonly program: CommandShape;
  /** The files that concern a page. */
  readonly filesOf: (page: string) => readonly FileEntry[];
  /** The page about the settings. */
  readonly settingsPage: Pick<ManualPage, "name" | "section">;
}

/** The page of the program: its commands, and what holds for all of them. */
export function renderProgramPage({ edition, program, filesOf, settingsPage }: Surroundings): ManualPage {
  const [name = ""] = program.words;
  const passages = readAfter(program.after);
  return renderPage({ name, section: 1, about: program.summary, edition }, [
    ["SYNOPSIS", [`${bold(name)} ${renderUsage("[options] <command> [arguments...]")}`]],
    ["DESCRIPTION", renderParagraphs(program.description)],
    ["COMMANDS", renderCommandList(program)],
    ["OPTIONS", program.options.flatMap(renderOption)],
    ["EXAMPLES", withoutFirstBreak(renderExamples(passages.flatMap(({ examples }) => examples)))],
    ["EXIT STATUS", exitStatus(program)],
    ["ENVIRONMENT", rowsUnder(program, "Environment")],
    ["FILES", renderFiles(filesOf(name))],
    ["SEE ALSO", renderSeeAlso([settingsPage])],
  ]);
}

/** The page of a command of the program, with those below it. */
export function renderCommandPage(command: CommandShape, surroundings: Surroundings): ManualPage {
  const { edition, program, filesOf, settingsPage } = surroundings;
  const name = pageName(command);
  const commands = everyCommand(command).filter((each) => !isGroup(each));
  const passages = commands.flatMap(({ after }) => readAfter(after));
  const isAlone = commands[0] === command && commands.length === 1;
  const own: readonly Section[] = isAlone
    ? [
        ["DESCRIPTION", describe(command)],
        ["OPTIONS", withoutFirstBreak([...renderOptions(command, ".SS"), ...globalOptions(program)])],
      ]
    : [
        ["DESCRIPTION", renderProse(sentence(command.summary))],
        ["COMMANDS", commands.flatMap((each) => renderSubcommand(each))],
        ["OPTIONS", withoutFirstBreak(globalOptions(program))],
      ];
  const mentioned = pagesOf(program).filter((page) => page.name !== name && mentions(commands, page.name));
  return renderPage({ name, section: 1, about: command.summary, edition }, [
    ["SYNOPSIS", commands.flatMap((each, index) => [...(index === 0 ? [] : [".br"]), synopsis(each)])],
    ...own,
    ["EXAMPLES", withoutFirstBreak(renderExamples(passages.flatMap(({ examples }) => examples)))],
    ["EXIT STATUS", exitStatus(program)],
    ["FILES", renderFiles(filesOf(name))],
    ["SEE ALSO", renderSeeAlso([{ name: program.words[0] ?? "", section: 1 }, ...mentioned, settingsPage])],
  ]);
}

/** The commands that have a page. */
export function commandsWithPages(program: CommandShape): readonly CommandShape[] {
  return program.commands.filter(({ words }) => words.at(-1) !== "help");
}

function pageName({ words }: CommandShape): string {
  return words.join("-");
}

function pagesOf(program: CommandShape): readonly Pick<ManualPage, "name" | "section">[] {
  return commandsWithPages(program).map((command) => ({ name: pageName(command), section: 1 }));
}

/** Whether texts of commands speak of the command of a page: "controller node" for controller-node. */
function mentions(commands: readonly CommandShape[], page: string): boolean {
  const words = page.replace("-", " ");
  const texts = commands.flatMap(({ description, options, after }) => [
    description,
    after,
    ...options.map((option) => option.description),
  ]);
  return texts.some((text) => new RegExp(`\\b${words}(?![\\w-])`).test(text));
}

/** A section begins with a paragraph anyway. */
function withoutFirstBreak(lines: readonly string[]): readonly string[] {
  return lines[0] === ".PP" ? lines.slice(1) : lines;
}

/** Text of commander, which begins small and has no period, as a sentence. */
function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?:]$/.test(capital) ? capital : `${capital}.`;
}

function synopsis({ words, usage }: CommandShape): string {
  return `${bold(words.join(" "))} ${renderUsage(usage)}`.trimEnd();
}

/** The paragraphs of a description; the first is the summary. */
function describe({ description }: CommandShape): readonly string[] {
  const [first = "", ...rest] = description.split(/\n{2,}/);
  return renderParagraphs([sentence(first), ...rest].join("\n\n"));
}

function renderSubcommand(command: CommandShape): readonly string[] {
  const { words, aliases } = command;
  const also = aliases.map((alias) => bold([...words.slice(0, -1), alias].join(" ")));
  return [
    macro("SS", escapeRoff(words.slice(1).join(" "))),
    synopsis(command),
    ...(also.length === 0 ? [] : [".br", `Also ${also.join(", ")}.`]),
    ".PP",
    ...describe(command),
    ...renderOptions(command, ".PP"),
  ];
}

/** Arguments and options, those of a group under its heading. */
function renderOptions(command: CommandShape, heading: ".SS" | ".PP"): readonly string[] {
  const options = command.options.filter(({ long }) => long !== "--help");
  const groups = [...new Set(options.map(({ group }) => group))].toSorted(
    (a, b) => Number(a !== "") - Number(b !== ""),
  );
  return [
    ...renderArguments(command),
    ...groups.flatMap((group) => {
      const title = heading === ".SS" ? [macro("SS", escapeRoff(group))] : [".PP", `${escapeRoff(group)}:`];
      const entries = options.filter((option) => option.group === group).flatMap(renderOption);
      return group === "" ? entries : [...title, ...entries];
    }),
  ];
}

function renderArguments({ arguments: own, usage }: CommandShape): readonly string[] {
  const described = own.filter(({ description }) => description !== "");
  const [only] = described;
  // Where words of several kinds follow each other, only the usage tells which.
  if (only !== undefined && own.length === 1)
    return renderEntry(renderUsage(usage.replace("[options] ", "")), renderProse(sentence(only.description)));
  return described.flatMap(({ name, description }) => renderEntry(italic(name), renderProse(sentence(description))));
}

function renderOption({ short, long, value, description }: OptionShape): readonly string[] {
  const names = [short, long].flatMap((name) => (name === undefined ? [] : [bold(name)])).join(", ");
  const placeholder =
    value === undefined ? "" : ` ${value.isRequired ? italic(value.name) : `[${italic(value.name)}]`}`;
  return renderEntry(`${names}${placeholder}`, renderProse(sentence(description)));
}

function globalOptions(program: CommandShape): readonly string[] {
  const names = program.options.flatMap(({ long }) => (long === undefined || long === "--version" ? [] : [bold(long)]));
  const listed = `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
  return [
    ".PP",
    ...wrap(`Every command also takes ${listed}:`),
    "see",
    macro("BR", escapeRoff(program.words[0] ?? ""), "(1)."),
  ];
}

function renderCommandList(program: CommandShape): readonly string[] {
  const commands = commandsWithPages(program);
  const groups = [...new Set(commands.map(({ group }) => group))];
  return groups.flatMap((group) => [
    macro("SS", escapeRoff(group)),
    ...commands
      .filter((command) => command.group === group)
      .flatMap((command) => [
        ".TP",
        macro("BR", escapeRoff(pageName(command)), "(1)"),
        ...renderProse(sentence(command.summary)),
      ]),
  ]);
}

function renderExamples(examples: readonly Example[]): readonly string[] {
  return examples.flatMap(({ command, does }) =>
    renderEntry(bold(command), does === "" ? [] : renderProse(sentence(does))),
  );
}

function exitStatus(program: CommandShape): readonly string[] {
  return rowsUnder(program, "Exit codes");
}

/** The rows of a passage below the program's help. */
function rowsUnder({ after }: CommandShape, heading: string): readonly string[] {
  const rows = readAfter(after).find((passage) => passage.heading === heading)?.rows ?? [];
  return rows.flatMap(([term, about]) => renderEntry(bold(term), renderProse(sentence(about))));
}

function renderFiles(files: readonly FileEntry[]): readonly string[] {
  return files.flatMap(([path, about]) => renderEntry(italic(path), renderProse(sentence(about))));
}
