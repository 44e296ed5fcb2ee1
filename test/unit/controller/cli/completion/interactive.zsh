# What drive.zsh has an interactive zsh begin with: Tab completes, and tells what was offered by the fifo $answers.
PROMPT= RPROMPT=
fpath=($completions $fpath)
autoload -Uz compinit && compinit -u -d $scratch/dump
zstyle ':completion:*' insert-tab false
setopt no_auto_list no_auto_menu no_beep
typeset -ga offered
compadd() {
  # With -O, -A or -D it only asks which would match.
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
    builtin compadd "$@"
    return
  fi
  local -a hits
  builtin compadd -A hits "$@"
  offered+=($hits)
  builtin compadd "$@"
}
tell-offered() {
  offered=()
  zle complete-word 2>>$scratch/errors
  print -r -- ${(pj:\t:)offered} >$answers
  BUFFER=
}
zle -N tell-offered
bindkey -e
bindkey '^I' tell-offered
print ready >$answers
