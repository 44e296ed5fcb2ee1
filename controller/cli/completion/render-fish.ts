import type { CompletionPlan, PlannedCommand, PlannedOperand, PlannedOption } from "./plan-completion.ts";
import { fishQuote } from "./shell-quote.ts";
import { completeCommand, type ValueSource } from "./value-source.ts";

/** The script for fish: a file in a folder of `fish_complete_path`, named after the program. */
export function renderFish({ program, commands, namesWithValue }: CompletionPlan): string {
  return `# fish completion for ${program}(1); made by "${program} completion fish"

# The command that the words $argv call, and how many operands follow it: "node show" and 2, each on its line.
function __${program}_where
    set -l called
    set -l count 0
    set -l ended no
    set -l tokens $argv[2..-1]
    while set -q tokens[1]
        set -l token $tokens[1]
        set -e tokens[1]
        if test $ended = no -a "$token" = --
            set ended yes
        else if test $ended = no; and string match -q -- '-?*' $token
            if contains -- $token ${namesWithValue.join(" ")}
                set -e tokens[1]
            end
        else if test $count = 0 -a $ended = no; and contains -- (string join ' ' $called $token) ${commands
          .flatMap(({ calls }) => calls)
          .filter((call) => call !== "")
          .map(fishQuote)
          .join(" ")}
            set -a called $token
        else
            set count (math $count + 1)
        end
    end
    string join ' ' -- $called
    test -z "$called"; and echo
    echo $count
end

# Whether the line is at a command: $argv[1] in any of its spellings, joined by "/", with as many operands as $argv[2].
# A number with "+" means so many or more.
function __${program}_at
    # Each Tab asks about every command: the line is read once.
    set -l tokens (commandline -opc)
    set -l line (string join \\t -- $tokens)
    if test "$line" != "$__${program}_line"
        set -g __${program}_line $line
        set -g __${program}_place (__${program}_where $tokens)
    end
    contains -- "$__${program}_place[1]" (string split / -- "$argv[1]"); or return 1
    set -q argv[2]; or return 0
    switch $argv[2]
        case '*+'
            test $__${program}_place[2] -ge (string trim -r -c + -- $argv[2])
        case '*'
            test $__${program}_place[2] -eq $argv[2]
    end
end

# Values that only the running controller knows: the program is asked that stands on the line, about the same controller.
function __${program}_ask
    set -l tokens (commandline -opc)
    set -l target
    for index in (seq 2 (count $tokens))
        switch $tokens[$index]
            case --
                break
            case '--socket=*' '--server=*' '--bundle=*'
                set -a target $tokens[$index]
            case --socket --server --bundle
                test $index -lt (count $tokens)
                and set -a target $tokens[$index]=$tokens[(math $index + 1)]
        end
    end
    set -l typed (string replace -r -- '^--[^=]*=' '' (commandline -ct))
    $tokens[1] $target ${completeCommand} $argv[1] -- "$typed" 2>/dev/null
end

complete -c ${program} -f

${commands.map((command) => renderCommand(program, command)).join("\n\n")}
`;
}

function renderCommand(program: string, { calls, below, options, operands }: PlannedCommand): string {
  const at = (count?: string) =>
    fishQuote(`__${program}_at ${fishQuote(calls.join("/"))}${count === undefined ? "" : ` ${count}`}`);
  return [
    ...below.map(({ name, summary }) => `complete -c ${program} -n ${at("0")} -a ${name} -d ${fishQuote(summary)}`),
    ...options.map((option) => `complete -c ${program} -n ${at()} ${renderOption(program, option)}`),
    ...operands.flatMap((operand, index) =>
      renderOperand(program, operand, at(`${index}${operand.isRepeated ? "+" : ""}`)),
    ),
  ].join("\n");
}

function renderOption(program: string, { names, value, description }: PlannedOption): string {
  const words = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const takes = value === undefined ? [] : [renderSource(program, value.source)];
  return [...words, ...takes, `-d ${fishQuote(description)}`].join(" ");
}

function renderOperand(program: string, { sources }: PlannedOperand, condition: string): readonly string[] {
  return sources
    .filter(({ from }) => from !== "nowhere")
    .map((source) => {
      const given = source.from === "files" ? "-F" : renderSource(program, source).replace(/^-x /, "");
      return `complete -c ${program} -n ${condition} ${given}`;
    });
}

/** "-x": a value is required, and is no file; "-r -F": it is one. "-k" keeps the order. */
function renderSource(program: string, source: ValueSource): string {
  switch (source.from) {
    case "words":
      return `-x -a ${fishQuote(source.words.join(" "))}`;
    case "controller":
      return `-x -k -a ${fishQuote(`(__${program}_ask ${source.kind})`)}`;
    case "files":
      return "-r -F";
    case "folders":
      return `-x -a ${fishQuote("(__fish_complete_directories (commandline -ct))")}`;
    case "interfaces":
      return `-x -a ${fishQuote("(__fish_print_interfaces)")}`;
    case "nowhere":
      return "-x";
  }
}
