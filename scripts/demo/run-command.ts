import path from "node:path";
import process from "node:process";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { checkout } from "../../test/programs/checkout.ts";
import { defaultSocket } from "./controller-socket.ts";

/**
 * Runs a command of the controller's command line as a user would, on the user's own terminal. Returns its exit code;
 * throws when a command other than a reimage fails, because nothing after it would make sense, and when the signal
 * aborts.
 */
export async function runCommand(
  socket: string,
  args: readonly string[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<number | undefined> {
  say(`$ npm run controller -- ${args.map((arg) => (/\s/.test(arg) ? JSON.stringify(arg) : arg)).join(" ")}`);
  const { exitCode } = await execa(process.execPath, [path.join(checkout, "controller/main.ts"), ...args], {
    stdio: "inherit",
    reject: false,
    // It is the user's own command, which hears Ctrl-C itself and then stops watching, and learns of a resized window.
    detached: false,
    cancelSignal: signal,
    env: socket === defaultSocket ? {} : { PALLET_SOCKET: socket },
  });
  signal.throwIfAborted();
  if (exitCode !== 0 && args[0] !== "reimage")
    throw new Error(`controller ${args[0]} failed with exit code ${exitCode}`);
  return exitCode;
}
