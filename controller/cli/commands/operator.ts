import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { noOperators, renderOperators } from "../render/render-operators.ts";
import { viewOperator } from "../view/operator-view.ts";
import { registerOperatorAdd } from "./operator-add.ts";
import { examples, jsonHelp } from "./option-texts.ts";

/** `controller operator add|list|revoke`. */
export function registerOperator(program: Command, toAction: ToAction): void {
  const operator = program
    .command("operator")
    .description("let people and programs in from elsewhere, by role, and shut them out again")
    .helpCommand(false);
  registerOperatorAdd(operator, toAction);
  operator
    .command("list")
    .alias("ls")
    .description("list who is let in from elsewhere, with those who were revoked")
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller operator list"]))
    .action(
      toAction<[], object>(async ({ client, signal, isJson, print, printJson, note, look, effects }) => {
        const operators = (await client.listOperators({}, signal)).operators.map(viewOperator);
        if (isJson) printJson(operators);
        else if (operators.length === 0) note([noOperators]);
        else print(renderOperators(operators, look, effects.clock.now()));
      }),
    );
  operator
    .command("revoke")
    .description("shut an operator out, at once: his calls are refused, and his open streams end")
    .argument("<operator>", "his name, as controller operator list shows it")
    .addHelpText("after", examples(["controller operator revoke ada"]))
    .action(
      toAction<[string], object>(async ({ client, signal, print }, _options, name) => {
        await client.revokeOperator({ name }, signal);
        print([`revoked ${printable(name)}`]);
      }),
    );
}
