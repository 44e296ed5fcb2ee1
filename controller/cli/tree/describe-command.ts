import { type Argument, type Command, Help, type Option } from "commander";
import type { ArgumentShape, CommandShape, OptionShape } from "./command-shape.ts";

/** A command of commander and all below it as plain values; what is hidden from help is left out. */
export function describeCommand(command: Command, above: readonly string[] = []): CommandShape {
  const help = command.createHelp();
  const words = [...above, command.name()];
  return {
    words,
    aliases: command.aliases(),
    usage: command.usage(),
    summary: help.subcommandDescription(command),
    description: command.description(),
    group: withoutColon(command.helpGroup()),
    arguments: command.registeredArguments.map(describeArgument),
    options: help.visibleOptions(command).map(describeOption),
    after: textBelowHelp(command),
    commands: help.visibleCommands(command).map((below) => describeCommand(below, words)),
  };
}

function describeArgument(argument: Argument): ArgumentShape {
  return {
    name: argument.name(),
    isRequired: argument.required,
    isRepeated: argument.variadic,
    choices: argument.argChoices ?? [],
    description: new Help().argumentDescription(argument),
  };
}

function describeOption(option: Option): OptionShape {
  const { short, long, required, optional, variadic, argChoices, helpGroupHeading } = option;
  // Commander has no word for it, but what collects is given what was collected before. So is what checks choices.
  const isCollected = argChoices === undefined && (option.parseArg?.length ?? 0) > 1;
  const placeholder = /[<[](?<name>.+?)(?:\.\.\.)?[>\]]$/.exec(option.flags)?.groups?.["name"];
  return {
    ...(short !== undefined && { short }),
    ...(long !== undefined && { long }),
    ...((required || optional) &&
      placeholder !== undefined && {
        value: { name: placeholder, isRequired: required, isRepeated: variadic, choices: argChoices ?? [] },
      }),
    isRepeatable: variadic || isCollected,
    description: new Help().optionDescription(option),
    group: withoutColon(helpGroupHeading ?? ""),
  };
}

/** What was added "after" help, which commander only tells by printing all of it. */
function textBelowHelp(command: Command): string {
  let text = "";
  const usual = command.configureOutput();
  command.configureOutput({
    writeOut: (piece) => {
      text += piece;
    },
  });
  command.outputHelp();
  const above = command.helpInformation();
  command.configureOutput(usual);
  return text.slice(above.length);
}

function withoutColon(heading: string): string {
  return heading.replace(/:$/, "");
}
