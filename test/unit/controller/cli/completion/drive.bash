# Completes command lines as an interactive bash does when Tab is pressed at their ends. Each line of standard input is
# the words that readline makes of one, with tabs between, then a tab and the line itself; the answer is a line of
# candidates with tabs between.
#   $1 the script of completion   $2 bash-completion, or nothing
if [[ $2 ]]; then source "$2"; fi
source "$1"
while IFS= read -r input; do
  COMP_WORDS=()
  while [[ $input == *$'\t'* ]]; do
    COMP_WORDS+=("${input%%$'\t'*}")
    input=${input#*$'\t'}
  done
  COMP_LINE=$input
  COMP_POINT=${#COMP_LINE}
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMPREPLY=()
  _controller controller "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" 2>&1
  (IFS=$'\t'; printf '%s\n' "${COMPREPLY[*]}")
done
