import type { Command } from "commander";
import type { ToAction } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { renderAuthorities } from "../render/render-authorities.ts";
import { viewAuthority } from "../view/authority-view.ts";
import { examples, jsonHelp } from "./option-texts.ts";

/** `controller ca show|rotate|retire`. */
export function registerCa(program: Command, toAction: ToAction): void {
  const ca = program
    .command("ca")
    .description("show or replace the certificate authority by which nodes and operators know this controller")
    .helpCommand(false);
  ca.command("show")
    .description("show the certificate authorities that count, and who goes by each")
    .option("--pem", "print their certificates (PEM), the current one first, for --cacert of other programs")
    .option("--json", jsonHelp)
    .addHelpText("after", examples(["controller ca show"], ["controller ca show --pem > ca.pem"]))
    .action(
      toAction<[], { readonly pem?: true }>(async ({ client, signal, isJson, print, printJson, look }, { pem }) => {
        const authorities = (await client.getAuthorities({}, signal)).authorities.map(viewAuthority);
        if (isJson) printJson(authorities);
        else if (pem === true)
          print([
            authorities
              .map(({ certificate }) => certificate)
              .join("")
              .trimEnd(),
          ]);
        else print(renderAuthorities(authorities, look));
      }),
    );
  ca.command("rotate")
    .description(
      "have a new certificate authority sign from now on\n\n" +
        "Nothing has to be done on nodes: those that are online learn of it with their next heartbeat, others when they next " +
        "boot. What the former one signed goes on to count until it is retired; operators get a new bundle when they are " +
        "added again.",
    )
    .summary("have a new certificate authority sign from now on; former ones still count")
    .addHelpText("after", examples(["controller ca rotate"]))
    .action(
      toAction<[], object>(async ({ client, signal, print, hint, commandLine }) => {
        const { authority } = await client.rotateAuthority({}, signal);
        print([`${printable(authority?.id ?? "")} signs from now on`]);
        hint([
          `once nobody goes by the former one any more (${commandLine("ca show")}): ${commandLine("ca retire ID")}`,
        ]);
      }),
    );
  ca.command("retire")
    .description("forget a former certificate authority: nothing that it signed counts any more")
    .argument("<authority>", "its id, as controller ca show shows it, or the beginning of it")
    .option(
      "--force",
      "also while nodes or operators go by it: these nodes come back when they next boot from the network, these operators have to be added again",
    )
    .addHelpText("after", examples(["controller ca retire 3fa9c1d2"]))
    .action(
      toAction<[string], { readonly force?: true }>(async ({ client, signal, print }, { force = false }, id) => {
        await client.retireAuthority({ id, force }, signal);
        print([`retired ${printable(id)}`]);
      }),
    );
}
