import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Command } from "commander";
import { planCompletion } from "../../../../../controller/cli/completion/plan-completion.ts";
import { knownPlaceholders } from "../../../../../controller/cli/completion/value-source.ts";
import { describeProgram } from "../../../../../controller/cli/share-files.ts";
import { everyCommand } from "../../../../../controller/cli/tree/command-shape.ts";
import { describeCommand } from "../../../../../controller/cli/tree/describe-command.ts";

/** The plan of a program with one command. */
function planOf(declare: (command: Command) => unknown) {
  const program = new Command("controller");
  declare(program.command("do"));
  return planCompletion(describeCommand(program)).commands.find(({ calls }) => calls[0] === "do");
}

const node = { from: "controller", kind: "node" };

describe("what may stand where", () => {
  for (const [usage, operands] of [
    [
      "[options] <node> <name>",
      [
        { name: "node", sources: [node], isRepeated: false },
        { name: "name", sources: [{ from: "nowhere" }], isRepeated: false },
      ],
    ],
    ["[options] [nodes...]", [{ name: "nodes", sources: [node], isRepeated: true }]],
    // The last of several words is not known to be the last before it is typed.
    [
      "[options] [NODE...] agent|local",
      [
        {
          name: "NODE or agent|local",
          sources: [node, { from: "words", words: ["agent", "local"] }],
          isRepeated: true,
        },
      ],
    ],
    ["[options] [NODE...] DEVICE", [{ name: "NODE or DEVICE", sources: [node], isRepeated: true }]],
    ["[options]", []],
  ] as const)
    it(usage, () => {
      assert.deepEqual(planOf((command) => command.usage(usage))?.operands, operands);
    });
});

it("an option without a value may not have one in another command", () => {
  const program = new Command("controller");
  program.command("a").option("--json");
  program.command("b").option("--json <file>");
  assert.throws(() => planCompletion(describeCommand(program)), /--json: a value in one command, none in another/);
});

describe("the placeholders of the commands", () => {
  it("are such as somebody has said of what they take, in controller/cli/completion/value-source.ts", () => {
    const names = everyCommand(describeProgram()).flatMap(({ usage, arguments: own, options }) => [
      ...own.filter(({ choices }) => choices.length === 0).map(({ name }) => name),
      ...(usage.match(/\b[A-Z][A-Z=-]+/g) ?? []).map((name) => name.toLowerCase()),
      ...options.flatMap(({ value }) => (value !== undefined && value.choices.length === 0 ? [value.name] : [])),
    ]);
    // Of help: any command.
    const unknown = names.filter((name) => name !== "command" && !knownPlaceholders.has(name));
    assert.deepEqual([...new Set(unknown)], []);
  });
});

it("every spelling of a command calls it", () => {
  const program = new Command("controller");
  program.command("images").alias("image").command("list").alias("ls");
  const calls = planCompletion(describeCommand(program)).commands.map((command) => command.calls);
  assert.deepEqual(calls[2], ["images list", "images ls", "image list", "image ls"]);
});
