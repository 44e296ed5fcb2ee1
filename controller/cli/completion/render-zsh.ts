import type { CompletionPlan, PlannedCommand, PlannedOperand, PlannedOption } from "./plan-completion.ts";
import { quote } from "./shell-quote.ts";
import { completeCommand, type ValueSource } from "./value-source.ts";

/** The script for zsh: a file in a folder of `fpath`, named "_" and the program, or to be sourced after compinit. */
export function renderZsh({ program, commands, namesWithValue }: CompletionPlan): string {
  return `#compdef ${program}
# zsh completion for ${program}(1); made by "${program} completion zsh"

# Values that only the running controller knows: the program is asked that stands on the line, about the same controller.
_${program}_ask() {
  # _arguments puts options of compadd before it.
  local kind=$argv[-1]
  argv[-1]=()
  local -a found
  local line value
  for line in \${(f)"$(_call_program values \${(q)${program}_call} ${completeCommand} $kind -- \${(q)PREFIX} 2>/dev/null)"}; do
    # _describe takes what follows the first colon that is not escaped for the description.
    value=\${\${\${line%%$'\\t'*}//\\\\/\\\\\\\\}//:/\\\\:}
    [[ $line == *$'\\t'* ]] && value+=:\${line#*$'\\t'}
    found+=("$value")
  done
  # In the order in which they come: the newest rollout first.
  _describe -V -t values $kind found "$@"
}

${commands.map((command) => renderCommand(program, command, commands)).join("\n\n")}

_${program}() {
  local curcontext="$curcontext" context state state_descr line ret=1
  typeset -A opt_args
  # Words are cut off the line on the way to a command, so this is read before.
  local -a ${program}_call=(\${~words[1]})
  local word
  integer index
  for ((index = 2; index < CURRENT; index++)); do
    word=\${(Q)words[index]}
    case $word in
      --) break ;;
      --(socket|server|bundle)=*) ${program}_call+=("$word") ;;
      --(socket|server|bundle)) ((index + 1 < CURRENT)) && ${program}_call+=("$word=\${(Q)words[++index]}") ;;
      ${namesWithValue.join("|")}) ((index++)) ;;
    esac
  done
  ${functionOf(program, "")}
}

if [[ $funcstack[1] == _${program} ]]; then
  _${program} "$@"
else
  compdef _${program} ${program}
fi
`;
}

function functionOf(program: string, call: string): string {
  return `_${program}_at${call === "" ? "" : `_${call.replaceAll(/[ -]/g, "_")}`}`;
}

function renderCommand(program: string, command: PlannedCommand, commands: readonly PlannedCommand[]): string {
  const { calls, below, options, operands } = command;
  const [call] = calls;
  const specs = options.flatMap((option) => renderOption(program, option));
  const start = `${functionOf(program, call)}() {`;
  if (below.length === 0) {
    const all = [...specs, ...operands.map((operand, index) => renderOperand(program, operand, index))];
    return `${start}\n  _arguments -S ${all.map(continued).join("")}\n}`;
  }
  const children = commands.filter(({ calls: [own] }) => isBelow(own, call));
  const described = below.map(({ name, summary }) => quote(`${name}:${summary}`));
  return `${start}
  local curcontext="$curcontext" context state state_descr line ret=1
  typeset -A opt_args
  _arguments -C -S ${[...specs, quote("(-): :->command"), quote("(-)*:: :->rest")].map(continued).join("")} && ret=0
  case $state in
    command)
      local -a commands=(${described.map((text) => `\n        ${text}`).join("")}
      )
      _describe -t commands command commands && ret=0
      ;;
    rest)
      curcontext="\${curcontext%:*}-$line[1]:"
      case $line[1] in
${children.map((child) => `        ${lastWords(child).join("|")}) ${functionOf(program, child.calls[0])} && ret=0 ;;`).join("\n")}
      esac
      ;;
  esac
  return ret
}`;
}

function continued(spec: string): string {
  return `\\\n    ${spec}`;
}

function isBelow(own: string, call: string): boolean {
  const words = own.split(" ");
  return own !== "" && words.slice(0, -1).join(" ") === call;
}

/** The spellings of a command's own name. */
function lastWords({ calls }: PlannedCommand): readonly string[] {
  return [...new Set(calls.map((call) => call.split(" ").at(-1) ?? ""))];
}

/** One specification for each of its names; each takes the others off the list, and itself unless it may be repeated. */
function renderOption(program: string, { names, value, isRepeatable, description }: PlannedOption): readonly string[] {
  return names.map((name) => {
    const before = isRepeatable ? "*" : names.length > 1 ? `(${names.join(" ")})` : "";
    // "+": the value may follow at once; "=": also behind a "=".
    const sign = value === undefined ? "" : name.startsWith("--") ? "=" : "+";
    const takes = value === undefined ? "" : `:${bracketed(value.name)}:${renderSource(program, value.source)}`;
    return quote(`${before}${name}${sign}[${bracketed(description)}]${takes}`);
  });
}

function renderOperand(program: string, { name, sources, isRepeated }: PlannedOperand, index: number): string {
  const place = isRepeated ? "*" : `${index + 1}`;
  const [only, ...others] = sources;
  if (only === undefined) return quote(`${place}:${bracketed(name)}: `);
  if (others.length === 0) return quote(`${place}:${bracketed(name)}:${renderSource(program, only)}`);
  const alternatives = sources.map((source, order) =>
    quote(`values-${order}:${bracketed(name)}:${renderSource(program, source)}`),
  );
  // With a blank before it, it is called without the options of compadd, which it would take for its own.
  return quote(`${place}:${bracketed(name)}: _alternative ${alternatives.join(" ")}`);
}

function renderSource(program: string, source: ValueSource): string {
  switch (source.from) {
    case "words":
      return `(${source.words.map((word) => word.replaceAll(":", "\\:")).join(" ")})`;
    case "controller":
      return `_${program}_ask ${source.kind}`;
    case "files":
      return "_files";
    case "folders":
      return "_files -/";
    case "interfaces":
      return "_net_interfaces";
    case "nowhere":
      return " ";
  }
}

/** Text within a specification of _arguments, which ends at brackets and colons. */
function bracketed(text: string): string {
  return text.replace(/[\\:[\]]/g, "\\$&");
}
