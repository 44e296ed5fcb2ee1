/** How the command line ends. Scripts may rely on these; `controller --help` lists them. */
export const exitCode = {
  /** Everything that was asked for is true: for a rollout that was watched, every node is proved. */
  done: 0,
  /** Something did not succeed, or the operator did not confirm. The last lines on stderr say what. */
  failed: 1,
  /** The command line itself is wrong. Nothing was done. */
  usage: 2,
  /** Ctrl-C: the command stopped watching. What it had started on nodes goes on. */
  interrupted: 130,
  /** The same by SIGTERM. */
  terminated: 143,
} as const;
