import process from "node:process";
import type { Command } from "commander";
import { type Restored, restoreBackup } from "../../backup/restore-backup.ts";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { formatAge, formatCount } from "../render/units.ts";
import { examples, jsonHelp } from "./option-texts.ts";

interface Options {
  readonly replace?: true;
  readonly config?: string;
}

/** `controller restore FILE`. */
export function registerRestore(program: Command, toAction: ToAction): void {
  program
    .command("restore")
    .description(
      "become the controller that a backup was taken of\n\n" +
        "Works on this machine's files, while no controller runs; nothing is changed before all of the backup has been checked. " +
        "Configuration, profiles and secrets that are here already are left as they are. Nodes go on with the systems that they " +
        "run, also those that were reimaged after the backup was taken; rollouts that had not ended are cancelled at the next " +
        "start. THE FORMER MACHINE MUST BE OFF: two controllers with one identity would both command the nodes. Take the " +
        "backup only from where you keep keys: it decides what runs on this machine as root (hooks).",
    )
    .summary("become the controller that a backup was taken of, on this machine")
    .argument("<file>", 'what "controller backup" wrote')
    .option("--replace", "where there is a state already, put it aside, into a folder of its own")
    .option("--config <file>", "the config file of this machine (default: PALLET_CONFIG, or /etc/pallet/pallet.yaml)")
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(["controller restore pallet.tar.zst"], ["controller serve --check", "what is missing here"]),
    )
    .action(
      toAction<[string], Options>(
        async ({ effects, isJson, print, printJson, note }, { replace = false, config }, file) => {
          // What a controller writes is nobody else's to read.
          process.umask(0o077);
          const now = effects.clock.now();
          const options = config === undefined ? {} : { config };
          const inputs = { options, env: effects.env, workingDirectory: process.cwd() };
          const restored = await restoreBackup({ file, replace, inputs, now });
          if (isJson) return void printJson(viewRestored(restored));
          print(renderRestored(restored, now));
          note(advise(restored));
        },
      ),
    );
}

function viewRestored({ about, aside, ...restored }: Restored): object {
  const missing = about.images.filter(({ isIn }) => !isIn);
  return {
    takenAt: about.takenAt,
    pallet: about.pallet,
    nodes: about.nodes,
    ...restored,
    aside: aside ?? null,
    imagesMissing: missing,
  };
}

function renderRestored({ about, stateDirectory, aside, placed, left, images }: Restored, now: number): string[] {
  return [
    `restored ${formatCount(about.nodes, "node")} into ${printable(stateDirectory)}, as of ${about.takenAt} (${formatAge(about.takenAt, now)})`,
    ...(aside === undefined ? [] : [`  what was there before is in ${printable(aside)}`]),
    ...images.map((name) => `  image ${printable(name)}`),
    ...placed.map((path) => `  placed ${printable(path)}`),
    ...left.map((path) => `  left as it is, and other than in the backup: ${printable(path)}`),
  ];
}

/** What the operator has to know, and to do. */
function advise({ about, operators, unended }: Restored): string[] {
  const missing = about.images.filter(({ isIn }) => !isIn);
  return [
    "the former machine must stay off",
    ...(operators.length === 0
      ? []
      : [
          `let in from elsewhere again: ${operators.map((each) => printable(each)).join(", ")}; revoke again whom you revoked since then`,
        ]),
    ...unended.map(
      (id) =>
        `rollout ${printable(id)} had not ended and will be cancelled; then: controller rollout retry ${printable(id)}`,
    ),
    ...missing.map(
      ({ name, digest }) =>
        `not in the backup, so nodes cannot boot it yet: controller images add FILE --name ${printable(name)} (${printable(digest.slice(0, 12))}…)`,
    ),
    "next: controller serve --check",
  ];
}
