import { type Command, Option } from "commander";
import { durationToWire } from "../../../proto/duration.ts";
import { createKey, createRequest } from "../../../proto/identity/certificate-request.ts";
import { derToPem } from "../../../proto/identity/pem.ts";
import { type OperatorRole, operatorRoles, operatorRoleWords } from "../../../proto/words/operator-role.ts";
import { mostOperatorDays } from "../../identity/validity.ts";
import type { ToAction } from "../connection/command-context.ts";
import { openPrivateFile } from "../connection/private-file.ts";
import { printable } from "../render/printable.ts";
import { shellWord } from "../render/shell-word.ts";
import { viewOperator } from "../view/operator-view.ts";
import { examples, jsonHelp, wholeNumber } from "./option-texts.ts";

const dayMs = 24 * 60 * 60_000;

interface AddOptions {
  readonly role: OperatorRole;
  readonly days?: number;
  readonly output?: string;
}

/** `controller operator add NAME --role ROLE`. */
export function registerOperatorAdd(parent: Command, toAction: ToAction): void {
  parent
    .command("add")
    .description(
      "let somebody in from elsewhere\n\n" +
        "Makes a key here, has the controller sign a certificate for it, and prints both with the controller's authorities " +
        "as one bundle (PEM). Whoever has the bundle is the operator: the key is shown once, and kept nowhere else.",
    )
    .summary("let somebody in from elsewhere: prints a bundle with key and certificate")
    .argument("<name>", "1 to 63 characters of a-z0-9._-")
    .addOption(
      new Option(
        "--role <role>",
        "what he may do: a viewer looks, an operator also changes nodes and images, an admin also decides who is let in",
      )
        .choices(operatorRoleWords)
        .makeOptionMandatory(),
    )
    .option(
      "--days <days>",
      "for how many days the certificate is good (default: 365)",
      wholeNumber(1, mostOperatorDays),
    )
    .option("-o, --output <file>", "write the bundle to a new file that only you may read (0600)")
    .option("--json", jsonHelp)
    .addHelpText(
      "after",
      examples(
        ["controller operator add ada --role operator --output ada.pem"],
        ["controller operator add monitoring --role viewer --days 30 > monitoring.pem"],
      ),
    )
    .action(
      toAction<[string], AddOptions>(async (context, { role, days, output }, name) => {
        const { client, signal, isJson, print, printJson, note } = context;
        // Before anything is signed: a certificate whose key has nowhere to go is worth nothing.
        const file = output === undefined ? undefined : await openPrivateFile(output);
        const key = createKey();
        const request = {
          name,
          role: operatorRoles.toWire(role),
          csrDer: Buffer.from(createRequest(key)),
          validFor: days === undefined ? undefined : durationToWire(days * dayMs),
        };
        const answer = await client.addOperator(request, signal).catch(async (error: unknown) => {
          await file?.discard();
          throw error;
        });
        const bundle = [
          derToPem(key.export({ type: "pkcs8", format: "der" }), "PRIVATE KEY"),
          ...[answer.certificateDer, ...answer.caCertificates].map((der) => derToPem(der, "CERTIFICATE")),
        ].join("");
        await file?.write(bundle);
        const operator = answer.operator && viewOperator(answer.operator);
        if (isJson) printJson({ operator: operator ?? null, file: output ?? null, bundle: file ? null : bundle });
        else if (file === undefined) print([bundle.trimEnd()]);
        else print([`added ${printable(name)} as ${role}, until ${operator?.expiresAt?.slice(0, 10) ?? "?"}`]);
        const where = output === undefined ? "BUNDLE" : printable(shellWord(output));
        if (!isJson) note([`from elsewhere: controller --server HOST --bundle ${where} nodes`]);
      }),
    );
}
