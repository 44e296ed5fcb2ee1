import type { Effects } from "./effects.ts";
import { exitCode } from "./exit-code.ts";

/**
 * Runs one command line and answers with its exit code (see exit-code.ts). It never throws and never ends the process:
 * the caller sets `process.exitCode`.
 *
 * @param argv the arguments after the program's name
 */
export async function runCommandLine(argv: readonly string[], effects: Effects): Promise<number> {
  effects.stderr.write(`not built yet: ${argv.join(" ")}\n`);
  return exitCode.failed;
}
