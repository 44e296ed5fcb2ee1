import { readFile } from "node:fs/promises";
import path from "node:path";
import { isAllowed, parseLock } from "./judge-licence.ts";

const checkout = path.join(import.meta.dirname, "..");

/**
 * Lists what Pallet's programs are made of, by licence. Throws an error that names each dependency whose licence is not
 * one of `allowedLicences`, not known, or not what the installed package itself says; also of those that only build
 * and test, as their output is shipped.
 */
export async function checkLicences(print: (text: string) => void): Promise<void> {
  const all = parseLock(await readFile(path.join(checkout, "package-lock.json"), "utf8"));
  const wrong: string[] = [];
  for (const { name, version, licence } of all) {
    const said = await licenceInstalled(name, version);
    if (licence === undefined) wrong.push(`${name} ${version} names no licence`);
    else if (!isAllowed(licence)) wrong.push(`${name} ${version} is under ${licence}`);
    else if (said !== undefined && said !== licence)
      wrong.push(`${name} ${version} is under ${licence} by package-lock.json, and under ${said} by itself`);
  }
  const shipped = all.filter(({ dev }) => !dev);
  for (const [licence, those] of Object.entries(Object.groupBy(shipped, ({ licence }) => licence ?? "none")))
    print(`${licence}: ${those?.map(({ name, version }) => `${name} ${version}`).join(", ")}\n`);
  print(`${shipped.length} packages in what is shipped, ${all.length - shipped.length} that build and test it\n`);
  if (wrong.length > 0)
    throw new Error(
      `${wrong.join("\n")}\nUse another package, or add the licence to allowedLicences in scripts/judge-licence.ts with a reason`,
    );
}

/** What the package says that lies in node_modules; undefined where another version does, or none. */
async function licenceInstalled(name: string, version: string): Promise<string | undefined> {
  const file = path.join(checkout, "node_modules", name, "package.json");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const found = JSON.parse(text) as { readonly version?: string; readonly license?: string };
  return found.version === version && typeof found.license === "string" ? found.license : undefined;
}
