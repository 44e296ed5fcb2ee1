/** The command line's exit codes. Scripts may rely on these; `controller --help` lists them. */
export const exitCode = {
  /** Everything asked for was done: for a watched rollout, every node is proved. */
  done: 0,
  /** Something failed, or the operator did not confirm. The last lines on stderr say what. */
  failed: 1,
  /** The command line itself is invalid. Nothing was done. */
  usage: 2,
  /** Ctrl-C: the command stopped watching. Work that it started on nodes continues. */
  interrupted: 130,
  /** The same, for SIGTERM. */
  terminated: 143,
} as const;
