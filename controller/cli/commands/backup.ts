import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { messageOf } from "../../../proto/failure.ts";
import type { Backup } from "../../../proto/gen/pallet/v1/controller.ts";
import { backupNameAt, chooseOldBackups } from "../../backup/choose-old-backups.ts";
import { openBackupFile, openBackupFolder, removeBackups } from "../connection/backup-file.ts";
import { type CommandContext, type ToAction, UsageError } from "../connection/command-context.ts";
import type { TargetOptions } from "../connection/controller-target.ts";
import { printable } from "../render/printable.ts";
import { formatBytes, formatCount } from "../render/units.ts";
import { examples, jsonHelp, wholeNumber } from "./option-texts.ts";

interface Options extends TargetOptions {
  readonly withImages?: true;
  readonly into?: string;
  readonly keep?: number;
}

/** `controller backup FILE`. */
export function registerBackup(program: Command, toAction: ToAction): void {
  program
    .command("backup")
    .description(
      "save everything that this controller is in one file, while it runs\n\n" +
        "The file holds the database (nodes, proofs, rollouts, events), the keys of the certificate authority, the config file, " +
        "the profiles, the secrets of webhooks, and the names and digests of the images. WHOEVER HAS THE FILE CAN BE THIS " +
        'CONTROLLER: keep it as you keep keys, and on another machine. "controller restore" reads it, and so does "tar --zstd -tf". ' +
        "What nodes netboot into (rootfs, boot tree) is not in it: it is built again.",
    )
    .summary("save everything that this controller is in one file, while it runs")
    .argument("[file]", 'a new file (0600); "-" is standard output')
    .option("--with-images", "the images too: without them, they have to be added again after a restore")
    .addOption(
      new Option(
        "--into <folder>",
        "a new file in this folder, named by the time, as a regular backup: if the next one does not come within a day and a half, controller status says so",
      ),
    )
    .option(
      "--keep <count>",
      "with --into: how many stay there; the oldest go once the new one is whole (default: 7)",
      wholeNumber(1, 10_000),
    )
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(
        ["controller backup pallet.tar.zst"],
        ["controller backup --into /var/backups/pallet --keep 7", "what pallet-backup.timer does each night"],
        ["ssh root@rack controller backup - > pallet.tar.zst", "from another machine"],
      ),
    )
    .action(
      toAction<[string | undefined], Options>(async (context, options, file) => {
        const { withImages = false, into, keep = 7 } = options;
        if (options.server !== undefined)
          throw new UsageError(
            "a backup, which holds the keys of everything, is to be had on the management machine alone: " +
              `ssh root@${options.server.split(":")[0]} controller backup - > FILE`,
          );
        if ((file === undefined) === (into === undefined)) throw new UsageError("give a file, or --into a folder");
        if (options.keep !== undefined && into === undefined) throw new UsageError("--keep goes with --into");
        if (context.isJson && file === "-") throw new UsageError("--json and - both want standard output");
        if (file === "-" && context.effects.stdout.isTerminal)
          throw new UsageError("standard output is a terminal, and a backup is no text: give a file, or redirect it");
        if (into !== undefined) await openBackupFolder(into);
        const name = backupNameAt(context.effects.clock.now());
        const path = file ?? join(into ?? "", name);
        const { backup, sizeBytes } = await take(context, path, { withImages, regular: into !== undefined });
        const removed = into === undefined ? [] : chooseOldBackups(await readdir(into), name, keep);
        if (into !== undefined) await removeBackups(into, removed);
        const { nodes, images, imagesLeftOut, leftOut } = backup;
        if (context.isJson) {
          const takenAt = backup.takenAt?.toISOString() ?? null;
          context.printJson({ file: path, sizeBytes, takenAt, nodes, images, imagesLeftOut, leftOut, removed });
          return;
        }
        const lines = [
          `${path === "-" ? "backup" : printable(path)}: ${formatCount(nodes, "node")}, ${formatBytes(sizeBytes)}`,
          ...(imagesLeftOut.length === 0
            ? []
            : [`  not in it: ${imagesLeftOut.map((each) => printable(each)).join(", ")} (images; --with-images)`]),
          ...leftOut.map((what) => `  not in it: ${printable(what)}`),
          ...removed.map((each) => `  removed ${printable(each)}`),
        ];
        if (path === "-") context.note(lines);
        else context.print(lines);
        context.note(["whoever has it can be this controller: keep it as you keep keys, and on another machine"]);
      }),
    );
}

/** Has the controller hand one out, keeps it, and tells the controller what became of it. */
async function take(
  { client, signal, effects }: CommandContext,
  path: string,
  request: { readonly withImages: boolean; readonly regular: boolean },
): Promise<{ readonly backup: Backup; readonly sizeBytes: number }> {
  const file = path === "-" ? effects.stdout.binary() : await openBackupFile(path);
  let backup: Backup | undefined;
  let sizeBytes = 0;
  try {
    for await (const { part } of client.takeBackup(request, signal)) {
      if (part?.$case === "backup") backup = part.value;
      if (part?.$case !== "data") continue;
      await file.write(part.value);
      sizeBytes += part.value.length;
    }
    await file.keep();
  } catch (error) {
    await file.discard();
    await tellFailure(backup?.id, messageOf(error));
    throw error;
  }
  if (backup === undefined) throw new Error("the controller said nothing of its backup");
  const kept = path === "-" ? "to standard output" : resolve(path);
  await client.reportBackup({ id: backup.id, path: kept, sizeBytes: BigInt(sizeBytes), failure: "" }, signal);
  return { backup, sizeBytes };

  /** The controller knows of a stream that was broken off by itself; it may be what has gone away. */
  async function tellFailure(id: string | undefined, failure: string): Promise<void> {
    if (id === undefined) return;
    await client
      .reportBackup({ id, path: "", sizeBytes: 0n, failure }, AbortSignal.timeout(5000))
      .catch(() => undefined);
  }
}
