# Completes command lines as fish does when Tab is pressed at their ends. Each line of standard input is one; the answer
# is a line of candidates with tabs between.
#   $argv[1] the script of completion
source $argv[1]
while read -l line
    set -l offered (complete -C "$line" | string replace -r '\t.*' '')
    echo (string join \t -- $offered)
end
