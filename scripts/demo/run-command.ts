import path from "node:path";
import process from "node:process";
import { execa } from "execa";
import { checkout } from "../../test/rack/checkout.ts";
import { defaultSocket } from "./controller-socket.ts";

/**
 * Runs a command of the controller's command line as a user would, on the user's own terminal. Returns its exit code;
 * throws when a command other than a reimage fails, because nothing after it would make sense.
 */
export async function runCommand(
  socket: string,
  args: readonly string[],
  say: (line: string) => void,
): Promise<number | undefined> {
  say(`$ npm run controller -- ${args.map((arg) => (/\s/.test(arg) ? JSON.stringify(arg) : arg)).join(" ")}`);
  const { exitCode } = await execa(process.execPath, [path.join(checkout, "controller/main.ts"), ...args], {
    stdio: "inherit",
    reject: false,
    env: socket === defaultSocket ? {} : { PALLET_SOCKET: socket },
  });
  if (exitCode !== 0 && args[0] !== "reimage")
    throw new Error(`controller ${args[0]} failed with exit code ${exitCode}`);
  return exitCode;
}
