import { execa } from "../../proto/linux/leashed-execa.ts";
import { withoutPallet } from "../programs/without-pallet.ts";

/** How a command of the controller's command line ended. */
export interface CommandResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the controller's command line to its end, without a terminal, whatever its exit code. */
export async function runCommandLine([program, ...args]: readonly [string, ...string[]]): Promise<CommandResult> {
  const { exitCode, stdout, stderr } = await execa(program, args, {
    reject: false,
    stdin: "ignore",
    stripFinalNewline: false,
    extendEnv: false,
    env: { ...withoutPallet(process.env), NO_COLOR: "1" },
  });
  return { exitCode, stdout, stderr };
}
