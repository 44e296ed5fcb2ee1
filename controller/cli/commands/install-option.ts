import { open, stat } from "node:fs/promises";
import { Failure } from "../../../proto/failure.ts";
import { detectFormat, detectionBytes, type ImageFormat } from "../../images/formats/detect-format.ts";
import { installMissing } from "../../requirements/install-missing.ts";
import type { Requirements } from "../../requirements/requirements.ts";
import { type CommandContext, UsageError } from "../connection/command-context.ts";
import type { Location } from "../download/location.ts";
import { printable } from "../render/printable.ts";

/** Help of `--install`. */
export const installHelp = "first install the Debian packages that this needs, without starting any service";

/** Handles `--install` for work on this machine. */
export async function installIfAsked(
  { install }: { readonly install?: true },
  { note }: CommandContext,
  requirements: Requirements,
): Promise<void> {
  if (install) await installMissing(requirements.needs, (line) => note([printable(line)]));
}

/**
 * The same for work that the controller does: it is on this machine if we reach it by its socket.
 *
 * @param from what is sent to it; absent if nothing is
 */
export async function installForController(
  options: { readonly install?: true },
  context: CommandContext,
  plan: (of: { readonly formats: readonly ImageFormat[] }) => Requirements,
  from?: Location | "stdin",
): Promise<void> {
  if (!options.install) return;
  if (!context.target.startsWith("unix:"))
    throw new UsageError(
      "--install installs packages on this machine, but the controller is on another: omit --server",
    );
  await installIfAsked(options, context, plan({ formats: from === undefined ? [] : await formatsOf(from) }));
}

/** The format of a file by its content; for stdin and the web, from which it comes only once, every format. */
async function formatsOf(from: Location | "stdin"): Promise<readonly ImageFormat[]> {
  if (from === "stdin" || from.kind === "web") return ["xz", "zstd"];
  const file = from.path;
  try {
    // A folder is sent as a tar archive.
    if ((await stat(file)).isDirectory()) return [];
    const handle = await open(file, "r");
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(detectionBytes), 0, detectionBytes, 0);
      return [detectFormat(buffer.subarray(0, bytesRead))];
    } finally {
      await handle.close();
    }
  } catch (cause) {
    // The command itself refuses anything that is neither an image nor an archive.
    if (cause instanceof Failure) return [];
    throw new Failure("invalid", `cannot read ${file}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
