import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { planCompletion } from "../../../../../controller/cli/completion/plan-completion.ts";
import { renderCompletion, type Shell, shells } from "../../../../../controller/cli/completion/render-completion.ts";
import { describeProgram } from "../../../../../controller/cli/share-files.ts";
import { execa } from "../../../../../proto/linux/leashed-execa.ts";
import { requires } from "../../../../requirements.ts";
import { until } from "../../../../until.ts";
import { freshNode } from "../a-catalogue.ts";
import { answer, startController } from "../a-controller.ts";
import { readlineWords } from "./readline-words.ts";

const nodes = ["rack-1", "rack-2", "spare"];
const images = ["debian-12", "debian-13", "with space", "glob*", "a'quote", "back\\slash", "co:lon"];

type Line = readonly [typed: string, offered: readonly string[], but?: Partial<Record<Shell, readonly string[]>>];

/** What zsh offers where no operand may follow: options. */
const commonOptions = ["-h", "--help", "--socket", "--server", "--bundle"];

/**
 * What is typed, and what is offered for the last word. What the shells do by themselves is left out: quotes around what
 * needs them, and descriptions. Where a shell has habits of its own, its own answer follows.
 */
const lines: readonly Line[] = [
  // Commands, groups and their aliases.
  ["controller rei", ["reimage"]],
  ["controller node ", ["list", "show", "logs", "rename", "accept", "label", "forget"]],
  ["controller rollout re", ["retry"]],
  ["controller image sh", ["show"]],
  ["controller --socket /x/y.sock rei", ["reimage"]],
  ["controller --socket=/x/y.sock node sh", ["show"]],
  ["controller help bo", ["board-report", "boot", "boot-tree"]],
  ["controller complete-", []],
  // Options: those of the command and of the program, none twice, but what may be given again.
  ["controller reimage --gr", ["--grow-to"]],
  [
    "controller reimage --dry-run --d",
    ["--detach", "--discovered", "--disk"],
    { fish: ["--detach", "--discovered", "--disk", "--dry-run"] },
  ],
  ["controller nodes --format wide --fo", [], { fish: ["--format"] }],
  ["controller nodes -o wide --fo", [], { fish: ["--format"] }],
  ["controller nodes -l rack=a --sel", ["--selector"]],
  ["controller disks --soc", ["--socket"]],
  ["controller ca retire --fo", ["--force"]],
  // Choices, in each form.
  ["controller mkfs --type ", ["ext4", "vfat"]],
  ["controller mkfs --type=v", ["vfat"]],
  ["controller mkfs --type=", ["ext4", "vfat"]],
  ["controller nodes -o ya", ["yaml"]],
  ["controller operator add ada --role ", ["viewer", "operator", "admin"]],
  ["controller serve --boot-profile-loader u", ["u-boot"]],
  ["controller serve --log-level=wa", ["warn"]],
  ["controller nodes --sort-by mo", ["model"]],
  ["controller completion ", ["bash", "zsh", "fish"]],
  // What the controller knows.
  ["controller node show ", nodes],
  ["controller node show rack-1 ra", ["rack-1", "rack-2"]],
  ["controller reimage --image debian-12 ra", ["rack-1", "rack-2"]],
  ["controller reimage --image debian-1", ["debian-12", "debian-13"]],
  ["controller reimage --image=debian-1", ["debian-12", "debian-13"]],
  ["controller cancel ", ["20261130-2", "20261129-1"]],
  ["controller watch 20261129", ["20261129-1"]],
  ["controller events --rollout 20261130", ["20261130-2"]],
  ["controller nodes -l ra", ["rack=a", "rack=b"]],
  ["controller nodes -l rack=", ["rack=a", "rack=b"]],
  ["controller nodes --selector=rack=", ["rack=a", "rack=b"]],
  ["controller boot rack-1 lo", ["local"]],
  ["controller boot sp", ["spare"]],
  ["controller node rename sp", ["spare"]],
  // Nothing where only the user knows.
  ["controller node rename spare ", []],
  ["controller images show debian-12 ", [], { zsh: ["--json", ...commonOptions] }],
  ["controller reimage --grow-to ", []],
  // After "--" nothing is an option, nor a command.
  ["controller node show -- --js", []],
  ["controller node show -- ra", ["rack-1", "rack-2"]],
  // About the controller that the line names.
  ["controller --socket /else node show ", ["elsewhere"]],
  ["controller node show --socket=/else ", ["elsewhere"]],
  // Files and folders.
  ["controller images add card", ["card one.img", "cards"]],
  ["controller profiles check card", ["cards"]],
  ["controller serve --config=conf", ["config.yaml"]],
];

/** A program in place of the controller, whose answers do not take a second: it has values, and says what it was given. */
const program = `#!/bin/sh
case $* in
  *--socket=/else*complete-values*) echo elsewhere ;;
  *"complete-values node"*) printf '%s\\t%s\\n' ${nodes.map((name) => `${name} 'online: [ok], "x"'`).join(" ")} ;;
  *"complete-values image"*) printf '%s\\n' ${images.map((name) => `'${name.replaceAll("'", "'\\''")}'`).join(" ")} ;;
  *"complete-values rollout"*) printf '%s\\t%s\\n' 20261130-2 running 20261129-1 succeeded ;;
  *"complete-values label"*) printf '%s\\n' rack=a rack=b ;;
  *complete-values*) echo 'error: that is not known here' >&2; exit 1 ;;
  *) IFS=$(printf '\\t'); printf '%s\\n' "$*" >"\${answers:-/dev/stderr}" ;;
esac
`;

let folder = "";
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "pallet-completion-"));
  await mkdir(path.join(folder, "scripts"));
  const names = { bash: "controller", zsh: "_controller", fish: "controller.fish" };
  for (const shell of shells)
    await writeFile(path.join(folder, "scripts", names[shell]), renderCompletion(shell, plan));
  await mkdir(path.join(folder, "bin"));
  await writeFile(path.join(folder, "bin/controller"), program);
  await chmod(path.join(folder, "bin/controller"), 0o755);
  await mkdir(path.join(folder, "real"));
  const main = path.resolve(import.meta.dirname, "../../../../../controller/main.ts");
  await writeFile(path.join(folder, "real/controller"), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  await chmod(path.join(folder, "real/controller"), 0o755);
  await mkdir(path.join(folder, "work/cards"), { recursive: true });
  for (const name of ["card one.img", "config.yaml"]) await writeFile(path.join(folder, "work", name), "");
});
after(() => rm(folder, { recursive: true, force: true }));

/** What a shell offers for each line; fails for whatever it says beside that. */
async function drive(
  command: string,
  args: readonly string[],
  input: readonly string[],
  bin = "bin",
): Promise<string[][]> {
  const home = path.join(folder, `home-${command}`);
  await mkdir(home, { recursive: true });
  const { stdout, stderr } = await execa(command, args, {
    cwd: path.join(folder, "work"),
    env: { PATH: `${path.join(folder, bin)}:${process.env["PATH"]}`, HOME: home, LC_ALL: "C.UTF-8" },
    input: `${input.join("\n")}\n`,
  });
  assert.equal(stderr, "");
  return stdout.split("\n").map((line) => [...new Set(line.split("\t"))].filter((word) => word !== ""));
}

const fixture = (name: string) => path.join(import.meta.dirname, name);

async function bash(typed: readonly string[], bin?: string, library = ""): Promise<string[][]> {
  const script = path.join(folder, "scripts/controller");
  const words = typed.map((line) => [...readlineWords(line), line].join("\t"));
  return drive("bash", ["--norc", fixture("drive.bash"), script, library], words, bin);
}

async function zsh(typed: readonly string[], bin?: string): Promise<string[][]> {
  const scratch = await mkdtemp(path.join(folder, "zsh-"));
  const scripts = path.join(folder, "scripts");
  const offered = await drive(
    "zsh",
    ["-f", fixture("drive.zsh"), scripts, scratch, fixture("interactive.zsh")],
    typed,
    bin,
  );
  assert.equal(await readFile(path.join(scratch, "errors"), "utf8"), "");
  return offered;
}

const fish = (typed: readonly string[], bin?: string): Promise<string[][]> =>
  drive("fish", ["--no-config", fixture("drive.fish"), path.join(folder, "scripts/controller.fish")], typed, bin);

const ask = { bash, zsh, fish } as const satisfies Record<
  Shell,
  (typed: readonly string[], bin?: string) => Promise<string[][]>
>;

/**
 * The value that a candidate means, whichever part of its word the shell replaces: all of it, or what follows a "=" or ":"
 * (bash), with or without quotes and the slash of a folder.
 */
function meaning(candidate: string, typed: string): string {
  const bare = candidate
    .replaceAll("\\", "")
    .replace(/^['"]|['"]$/g, "")
    .replace(/^--[a-z-]+=(?=.)/, "");
  const word =
    typed
      .split(" ")
      .at(-1)
      ?.replace(/^--[a-z-]+=/, "") ?? "";
  const kept = word.slice(0, word.search(/[^=:]*$/));
  return `${bare.startsWith(kept) ? "" : kept}${bare}`.replace(/\/$/, "");
}

const plan = planCompletion(describeProgram());

for (const shell of shells)
  describe(`completion in ${shell}`, requires("shells"), () => {
    let answers: string[][] = [];
    before(async () => {
      answers = await ask[shell](lines.map(([typed]) => typed));
    });
    for (const [index, [typed, offered, but]] of lines.entries())
      it(typed, () => {
        const values = (answers[index] ?? []).map((word) => meaning(word, typed));
        assert.deepEqual(values.toSorted(), [...(but?.[shell] ?? offered)].toSorted());
      });

    it("knows every option of every command", async () => {
      // Other spellings of a command lead to the same.
      const typed = plan.commands.map(({ calls: [call] }) => `controller ${call} -`.replace("  ", " "));
      const options = plan.commands.map((command) => command.options.flatMap(({ names }) => names));
      const found = await ask[shell](typed);
      for (const [index, line] of typed.entries())
        assert.deepEqual((found[index] ?? []).toSorted(), options[index]?.toSorted(), line);
    });
  });

describe("names that a shell would read otherwise", requires("shells"), () => {
  const rows: readonly Line[] = [
    ["controller images show w", ["with space"], { bash: ["with\\ space"], zsh: ["with\\ space"] }],
    ["controller images show 'wi", ["with space"]],
    ["controller images show with\\ s", ["with space"], { bash: ["with\\ space"], zsh: ["with\\ space"] }],
    ["controller images show g", ["glob*"], { bash: ["glob\\*"], zsh: ["glob\\*"] }],
    ["controller images show a", ["a'quote"], { bash: ["a\\'quote"], zsh: ["a\\'quote"] }],
    ["controller images show b", ["back\\slash"], { bash: ["back\\\\slash"], zsh: ["back\\\\slash"] }],
    ["controller images show co", ["co:lon"]],
    ["controller images show co:", ["co:lon"], { bash: ["lon"] }],
    [
      "controller reimage --image=w",
      ["with space"],
      { bash: ["with\\ space"], zsh: ["with\\ space"], fish: ["--image=with space"] },
    ],
  ];
  for (const shell of shells)
    it(`are offered by ${shell} as it takes them`, async () => {
      const found = await ask[shell](rows.map(([typed]) => typed));
      for (const [index, [typed, offered, but]] of rows.entries())
        assert.deepEqual(found[index], but?.[shell] ?? offered, typed);
    });
});

describe("the program itself", requires("shells"), () => {
  it("is asked about the controller that the line names", async () => {
    const nodes = ["rack-7", "rack-8"].map((name) => ({ ...freshNode, name }));
    const controller = await startController({ listNodes: answer(() => ({ nodes })) });
    try {
      let found: readonly string[] | undefined;
      const looks = async () => {
        [found] = await bash([`controller --socket ${controller.socket} node show rack`], "real");
        return found?.length === 2;
      };
      // It gives up soon, which on a busy machine may be before it is answered.
      await until(looks, () => `offered ${found}`, { withinMs: 120_000 });
      assert.deepEqual(found, ["rack-7", "rack-8"]);
    } finally {
      await controller.close();
    }
  });

  it("offers nothing, and nothing is shown, where no controller answers", async () => {
    assert.deepEqual(await bash(["controller --socket /nonexistent/socket node show "], "real"), [[]]);
  });
});

describe("at a terminal, Tab and Enter run what was meant", requires("shells"), () => {
  const rows: readonly (readonly [typed: string, given: readonly string[]])[] = [
    ["controller node show sp", ["node", "show", "spare"]],
    ["controller node show ra", ["node", "show", "rack-"]],
    ["controller mkfs --type=v", ["mkfs", "--type=vfat"]],
    ["controller nodes -l rack=b", ["nodes", "-l", "rack=b"]],
    ["controller images show w", ["images", "show", "with space"]],
    ["controller images show 'wi", ["images", "show", "with space"]],
    ["controller images show g", ["images", "show", "glob*"]],
    ["controller images show a", ["images", "show", "a'quote"]],
    ["controller images show b", ["images", "show", "back\\slash"]],
    ["controller images show co:", ["images", "show", "co:lon"]],
    ["controller images add card\\ o", ["images", "add", "card one.img"]],
    ["controller serve --config=conf", ["serve", "--config=config.yaml"]],
  ];
  const starts: Readonly<Record<Shell, () => readonly [first: string, ...shell: string[]]>> = {
    bash: () => [`PS1=; source '${folder}/scripts/controller'`, "bash", "--norc", "-i"],
    zsh: () => [
      `PROMPT= fpath=('${folder}/scripts' $fpath); autoload -Uz compinit; compinit -u -D; setopt no_list_beep`,
      "zsh",
      "-f",
      "-i",
    ],
    fish: () => [`source '${folder}/scripts/controller.fish'`, "fish", "--no-config", "-i"],
  };
  for (const shell of shells)
    it(shell, async () => {
      const scratch = await mkdtemp(path.join(folder, "terminal-"));
      const typed = rows.map(([line]) => line);
      const args = ["-f", fixture("type.zsh"), scratch, ...starts[shell]()];
      assert.deepEqual(
        await drive("zsh", args, typed),
        rows.map(([, given]) => given),
      );
    });
});

describe("bash-completion", requires("shells"), () => {
  it("may be there too", async () => {
    const library = "/usr/share/bash-completion/bash_completion";
    assert.deepEqual(await bash(["controller mkfs --type=", "controller node show ra"], "bin", library), [
      ["ext4", "vfat"],
      ["rack-1", "rack-2"],
    ]);
  });
});
