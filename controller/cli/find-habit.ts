import { shellWord } from "./render/shell-word.ts";

/** What somebody typed who knows kubectl, docker or another such tool, and the commands of ours that mean it. */
interface Habit {
  /** The first words, each one of some alternatives. */
  readonly typed: readonly (readonly string[])[];
  /** What stands for these words; the rest of the line follows. Several where it depends on what was meant. */
  readonly means: readonly string[];
}

const get = ["get", "list", "ls"];
const describe = ["describe", "inspect", "show", "get"];
const remove = ["delete", "del", "rm", "remove"];
const aNode = ["node", "nodes", "no", "machine", "machines", "host", "hosts", "pod", "pods", "pi", "pis"];
const anImage = ["image", "images", "img"];
const aRollout = ["rollout", "rollouts", "deployment", "deployments", "deploy", "job", "jobs"];
const allBut = (words: readonly string[], ...ours: readonly string[]) => words.filter((word) => !ours.includes(word));

/** The more words are typed, the earlier they stand: the first that fits counts. */
const habits: readonly Habit[] = [
  // kubectl: a verb, then a noun.
  { typed: [get, aNode], means: ["nodes"] },
  { typed: [get, anImage], means: ["images"] },
  { typed: [get, aRollout], means: ["rollouts"] },
  { typed: [get, ["event", "events", "ev"]], means: ["events"] },
  { typed: [get, ["disk", "disks"]], means: ["disks"] },
  { typed: [get, ["log", "logs"]], means: ["node logs"] },
  { typed: [["describe", "inspect", "show"], aNode], means: ["node show"] },
  { typed: [["describe", "inspect", "show"], anImage], means: ["images show"] },
  { typed: [["describe", "inspect", "show"], aRollout], means: ["rollout show"] },
  { typed: [remove, aNode], means: ["node forget"] },
  { typed: [remove, anImage], means: ["images remove"] },
  { typed: [remove, aRollout], means: ["cancel"] },
  { typed: [["label"], aNode], means: ["node label"] },
  { typed: [["rollout"], ["status", ...allBut(describe, "show")]], means: ["rollout show"] },
  { typed: [["rollout"], ["restart", "redo", "undo", "rerun"]], means: ["rollout retry"] },
  { typed: [["rollout"], ["cancel", "stop", "abort", "pause", ...remove]], means: ["cancel"] },
  { typed: [["rollout"], ["history"]], means: ["rollouts"] },
  { typed: [["rollout"], ["watch"]], means: ["watch"] },
  // docker: a noun, then a verb.
  { typed: [["node"], allBut(describe, "show")], means: ["node show"] },
  { typed: [["node"], remove], means: ["node forget"] },
  { typed: [["node"], ["mv", "name"]], means: ["node rename"] },
  { typed: [["node"], ["log"]], means: ["node logs"] },
  { typed: [["node"], ["approve", "add"]], means: ["node accept"] },
  { typed: [["node"], ["reboot", "restart"]], means: ["reboot"] },
  { typed: [["node"], ["boot"]], means: ["boot"] },
  { typed: [["node"], ["disks", "identify", "wipe", "mkfs", "unmount"]], means: ["disks", "identify", "wipe"] },
  { typed: [["nodes"], ["list", "ls"]], means: ["nodes"] },
  { typed: [["nodes"], describe], means: ["node show"] },
  { typed: [["nodes"], ["forget", ...remove]], means: ["node forget"] },
  { typed: [["nodes"], ["accept"]], means: ["node accept"] },
  { typed: [["nodes"], ["label"]], means: ["node label"] },
  { typed: [["nodes"], ["rename"]], means: ["node rename"] },
  { typed: [["nodes"], ["logs"]], means: ["node logs"] },
  { typed: [["image", "images"], allBut(describe, "show")], means: ["images show"] },
  { typed: [["image", "images"], allBut(remove, "remove")], means: ["images remove"] },
  {
    typed: [
      ["image", "images"],
      ["import", "load", "pull", "push", "create"],
    ],
    means: ["images add"],
  },
  { typed: [["image", "images"], ["build"]], means: ["images derive"] },
  { typed: [["rollouts"], ["list", "ls"]], means: ["rollouts"] },
  { typed: [["rollouts"], describe], means: ["rollout show"] },
  { typed: [["rollouts"], ["retry"]], means: ["rollout retry"] },
  {
    typed: [
      ["event", "events"],
      ["list", "ls"],
    ],
    means: ["events"],
  },
  // One word.
  { typed: [["ps", "ls", "list", "get", "no", "pods", "machines", "hosts"]], means: ["nodes"] },
  { typed: [["rmi"]], means: ["images remove"] },
  { typed: [["img"]], means: ["images"] },
  { typed: [remove], means: ["node forget", "images remove"] },
  { typed: [["describe", "inspect", "show"]], means: ["node show", "images show", "rollout show"] },
  { typed: [["label"]], means: ["node label"] },
  { typed: [["accept", "approve"]], means: ["node accept"] },
  { typed: [["forget"]], means: ["node forget"] },
  { typed: [["rename", "mv"]], means: ["node rename"] },
  { typed: [["logs", "log"]], means: ["node logs"] },
  { typed: [["event", "ev"]], means: ["events"] },
  { typed: [["top", "info", "version"]], means: ["status"] },
  { typed: [["restart", "reset"]], means: ["reboot"] },
  { typed: [["retry"]], means: ["rollout retry"] },
  { typed: [["stop", "abort", "kill"]], means: ["cancel"] },
  { typed: [["apply", "deploy", "install", "flash", "write", "image-nodes"]], means: ["reimage"] },
  { typed: [["pull", "push", "import", "load"]], means: ["images add"] },
  { typed: [["format"]], means: ["mkfs"] },
  { typed: [["umount"]], means: ["unmount"] },
  { typed: [["blink", "locate", "led"]], means: ["identify"] },
  { typed: [["lsblk"]], means: ["disks"] },
];

/** A habit that a command line shows. */
export interface FoundHabit {
  /** The words that are no command of ours. */
  readonly typed: string;
  /** What was probably meant, ready to be typed. */
  readonly commands: readonly string[];
}

/**
 * What a command line means that was typed by the habits of another tool; undefined when it shows none. It says what to
 * type instead, and is carried out by nobody: "delete" is too near to what was not meant.
 *
 * @param argv the words after the program's name
 */
export function findHabit(argv: readonly string[]): FoundHabit | undefined {
  const { words, start } = operandsOf(argv);
  const habit = habits.find(({ typed }) => typed.every((options, index) => options.includes(words[index] ?? "")));
  if (habit === undefined) return undefined;
  const count = habit.typed.length;
  const rest = argv.slice(start + count);
  return {
    typed: words.slice(0, count).join(" "),
    commands: habit.means.map((command) =>
      ["controller", command, ...translated(rest, command).map(shellWord)].join(" "),
    ),
  };
}

/** The first words that are no options, and where they begin: only the program's own options stand before them. */
function operandsOf(argv: readonly string[]): { readonly words: readonly string[]; readonly start: number } {
  let start = 0;
  while (argv[start]?.startsWith("-")) start += ["--socket", "--server"].includes(argv[start] ?? "") ? 2 : 1;
  const words = argv.slice(start);
  const end = words.findIndex((word) => word.startsWith("-"));
  return { words: end < 0 ? words : words.slice(0, end), start };
}

/** The commands that have -o, as kubectl has it. */
const listsWithFormats: readonly string[] = ["nodes", "images", "rollouts"];

/** Options of kubectl and docker in the words of a command of ours; what is ours anyway stays. */
function translated(words: readonly string[], command: string): readonly string[] {
  return words.flatMap((word, index) => {
    if (["-o", "--output"].includes(words[index - 1] ?? "")) return [];
    const format = /^(?:-o|--output)(?:=?(wide|json|yaml|name))?$/.exec(word);
    if (format !== null) return formatWords(format[1] ?? words[index + 1], command);
    return ["-A", "--all-namespaces", "-a"].includes(word) ? [] : [word];
  });
}

/** How a command of ours is asked for a format of kubectl's: it has others of which JSON is nearest. */
function formatWords(format: string | undefined, command: string): readonly string[] {
  const isOurs = listsWithFormats.includes(command) && ["wide", "yaml", "name"].includes(format ?? "");
  return isOurs ? ["-o", format ?? ""] : ["--json"];
}
