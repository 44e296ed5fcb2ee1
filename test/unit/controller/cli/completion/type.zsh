# Types command lines into a shell at a terminal, with Tab and Enter behind each, and tells what was run: a line for each,
# of the words that the program in its place was given, with tabs between.
#   $1 an empty folder to work in   $2 what the shell is to run first   $3... the shell
zmodload zsh/zpty
export answers=$1/answers TERM=dumb
mkfifo $answers
# Open all the time: whoever opens it anew may meet the writer before.
exec {told}<>$answers
zpty -b shell ${(q)@[3,-1]}
zpty -w shell "$2; echo ready >$answers"
read -r line <&$told
while IFS= read -r line; do
  zpty -w -n shell $line$'\t\n'
  IFS= read -r given <&$told
  # What the terminal shows is read and left, or it would fill.
  while zpty -r -t shell shown; do :; done
  print -r -- $given
done
zpty -d shell
