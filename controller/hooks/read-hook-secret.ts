import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { Failure, messageOf } from "../../proto/failure.ts";
import { limits } from "../../proto/limits.ts";
import { errorCodeOf } from "../../proto/linux/error-code-of.ts";
import { describeUnreadable } from "../refusal/unreadable.ts";
import { type HookSecret, parseHookSecret } from "./parse-hook-secret.ts";

/** S_IROTH | S_IWOTH. */
const othersMay = 0o006;

/**
 * Reads the secret of a webhook. Throws a Failure (invalid) that says what is wrong with the file and what to do: it
 * cannot be read, other users can read or change it, or it holds no secret.
 */
export async function readHookSecret(file: string): Promise<HookSecret> {
  try {
    return parseHookSecret(await readOwnFile(file));
  } catch (error) {
    const code = errorCodeOf(error);
    const why =
      error instanceof Failure
        ? error.message
        : code === "EACCES"
          ? `it ${describeUnreadable(file, code)}`
          : (code ?? messageOf(error));
    throw new Failure("invalid", `the secret file ${file} cannot be used: ${why}`, { cause: error });
  }
}

async function readOwnFile(file: string): Promise<string> {
  // Without O_NONBLOCK, opening a FIFO would wait for its writer.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw new Failure("invalid", "it is not a file");
    if ((status.mode & othersMay) !== 0)
      throw new Failure("invalid", `other users of this machine may read or change it; chmod 600 ${file}`);
    const buffer = Buffer.alloc(limits.hooks.secretFileBytes.most);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await handle.close();
  }
}
