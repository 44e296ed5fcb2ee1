import type { CompletionPlan, PlannedCommand, PlannedOption } from "./plan-completion.ts";
import { quote } from "./shell-quote.ts";
import { completeCommand, type ValueSource } from "./value-source.ts";

/** The script for bash 4.4 or later; it needs no bash-completion, and does not mind it. */
export function renderBash({ program, commands, namesWithValue }: CompletionPlan): string {
  return `# bash completion for ${program}(1); made by "${program} completion bash"

# What may follow a command: sets commands, options and operands. Fails for words that are no command.
_${program}_command() {
  case $1 in
${commands.map(renderCommand).join("\n")}
    *) return 1 ;;
  esac
}

# The words before the cursor, whole: bash also splits them at the ":" and "=" of COMP_WORDBREAKS.
# Sets words, and in broken that part of the last one which bash does not replace.
_${program}_words() {
  local line=\${COMP_LINE:0:COMP_POINT} raw space joins=
  words=() broken=
  for raw in "\${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    space=\${line%%[![:space:]]*}
    line=\${line#"$space"}
    # What stands right of the cursor does not count.
    [[ $line == "$raw"* ]] || raw=$line
    line=\${line#"$raw"}
    if [[ ! $space && \${#words[@]} -gt 0 && ( $joins || $raw == [:=]* ) ]]; then
      broken=\${words[-1]}
      words[-1]+=$raw
    else
      broken=
      words+=("$raw")
    fi
    joins=
    if [[ $raw == *[:=] && $COMP_WORDBREAKS == *"\${raw: -1}"* ]]; then
      joins=yes
      broken=\${words[-1]}
    fi
  done
}

# Offers those of the lines on standard input that begin with $1, as the shell has to be given them.
_${program}_offer() {
  local typed=$1 prefix=$2 line word quoted=
  case $typed in
    [\\'\\"]*)
      quoted=yes
      typed=\${typed:1}
      ;;
    *) typed=\${typed//\\\\/} ;;
  esac
  while IFS= read -r line; do
    word=\${line%%$'\\t'*}
    [[ $word == "$typed"* ]] || continue
    [[ $quoted ]] || printf -v word %q "$word"
    word=$prefix$word
    COMPREPLY+=("\${word#"$broken"}")
  done
}

# Offers values: $1 says where they come from, $2 is what was typed, $3 what stands before that in its word.
_${program}_values() {
  local source=$1 typed=$2 prefix=$3 path
  case $source in
    words:*) _${program}_offer "$typed" "$prefix" < <(printf '%s\\n' \${source#words:}) ;;
    files | folders)
      # The shell itself quotes names of files, and knows which are folders.
      compopt -o filenames 2>/dev/null
      local kind=-f
      [[ $source == folders ]] && kind=-d
      typed=\${typed#[\\'\\"]}
      while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen "$kind" -- "\${typed//\\\\/}")
      ;;
    interfaces)
      _${program}_offer "$typed" "$prefix" < <(
        for path in /sys/class/net/*; do printf '%s\\n' "\${path##*/}"; done
      )
      ;;
    controller:*)
      compopt -o nosort 2>/dev/null
      _${program}_offer "$typed" "$prefix" < <(
        "\${words[0]/#\\~\\//$HOME/}" "\${target[@]}" ${completeCommand} "\${source#controller:}" -- "\${typed#[\\'\\"]}" 2>/dev/null
      )
      ;;
  esac
}

_${program}() {
  local -a words target=() options=() operands=() names=()
  local IFS=$' \\t\\n' broken commands= called= word name option value= ended= given=' ' index count=0
  COMPREPLY=()
  _${program}_words
  _${program}_command '' || return
  local last=$((\${#words[@]} - 1)) current=\${words[-1]}
  for ((index = 1; index < last; index++)); do
    word=\${words[index]}
    if [[ $value ]]; then
      [[ $value == --@(socket|server|bundle) ]] && target+=("$value=$word")
      value=
    elif [[ ! $ended && $word == -- ]]; then
      ended=yes
    elif [[ ! $ended && $word == -?* ]]; then
      name=\${word%%=*}
      given+="$name "
      if [[ $word == *=* ]]; then
        [[ $name == --@(socket|server|bundle) ]] && target+=("$word")
      elif [[ $name == @(${namesWithValue.join("|")}) ]]; then
        value=$name
      fi
    elif [[ $count -eq 0 && " $commands " != '  ' ]] && _${program}_command "\${called:+$called }$word"; then
      called="\${called:+$called }$word"
    else
      ((count++))
    fi
  done
  if [[ ! $value && ! $ended && $current == --*=* ]]; then
    value=\${current%%=*}
    word=\${current#*=}
    current="$value="
  elif [[ $value ]]; then
    word=$current
    current=
  fi
  # An option is "NAMES SOURCE", with names joined by commas and "+" behind them if it may be given again.
  for option in "\${options[@]}"; do
    name=\${option%% *}
    if [[ $value ]]; then
      [[ ",\${name%+}," == *",$value,"* && $option == *' '* ]] && _${program}_values "\${option#* }" "$word" "$current"
    elif [[ ! $ended && $current == -* ]]; then
      if [[ $name != *+ ]]; then
        for word in \${name//,/ }; do [[ $given == *" $word "* ]] && continue 2; done
      fi
      names+=(\${name//[,+]/ })
    fi
  done
  ((\${#names[@]} > 0)) && _${program}_offer "$current" '' < <(printf '%s\\n' "\${names[@]}")
  [[ $value || ( ! $ended && $current == -* ) ]] && return
  [[ $commands && $count -eq 0 && ! $ended ]] && _${program}_offer "$current" '' < <(printf '%s\\n' $commands)
  # An operand is the sources that it may come from; the last one ends with "+" if there may be several.
  ((count >= \${#operands[@]} && \${#operands[@]} > 0)) && [[ \${operands[-1]} == *+ ]] && count=$((\${#operands[@]} - 1))
  local -a sources=()
  IFS=';' read -r -a sources <<<"\${operands[count]%+}"
  for word in "\${sources[@]}"; do _${program}_values "$word" "$current" ''; done
}

complete -F _${program} ${program}
`;
}

function renderCommand({ calls, below, options, operands }: PlannedCommand): string {
  return `    ${calls.map(quote).join(" | ")})
      commands=${quote(below.map(({ name }) => name).join(" "))}
      options=(${options.map(renderOption).map(quote).join(" ")})
      operands=(${operands.map(({ sources, isRepeated }) => quote(`${sources.map(renderSource).join(";")}${isRepeated ? "+" : ""}`)).join(" ")})
      ;;`;
}

function renderOption({ names, value, isRepeatable }: PlannedOption): string {
  const source = value === undefined ? "" : ` ${renderSource(value.source)}`;
  return `${names.join(",")}${isRepeatable ? "+" : ""}${source}`;
}

/** Words have no spaces: they are choices of ours. */
function renderSource(source: ValueSource): string {
  if (source.from === "words") return `words:${source.words.join(" ")}`;
  return source.from === "controller" ? `controller:${source.kind}` : source.from;
}
