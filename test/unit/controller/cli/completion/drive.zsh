# Completes command lines in a real interactive zsh, at a terminal of its own. Each line of standard input is one, as it
# is typed before Tab; the answer is a line of what was offered, with tabs between.
#   $1 the folder with _controller   $2 an empty folder to work in   $3 what the interactive zsh begins with
zmodload zsh/zpty
export completions=$1 scratch=$2 answers=$2/answers TERM=dumb
mkfifo $answers
# Open all the time: whoever opens it anew may meet the writer before.
exec {told}<>$answers
zpty -b shell zsh -f -i
zpty -w shell "source ${(q)3}"
read -r line <&$told
while IFS= read -r line; do
  zpty -w -n shell $line$'\t'
  IFS= read -r offered <&$told
  # What the terminal shows is read and left, or it would fill.
  while zpty -r -t shell shown; do :; done
  print -r -- $offered
done
zpty -d shell
