import { execa } from "../../../proto/linux/leashed-execa.ts";
import { checkout } from "../../programs/checkout.ts";

/** The Markdown pages of this checkout, by their paths from its top; also those that are not committed yet. */
export async function listPages(): Promise<readonly string[]> {
  const which = ["--cached", "--others", "--exclude-standard", "--deduplicate"];
  const { stdout } = await execa("git", ["ls-files", "-z", ...which, "--", "*.md"], { cwd: checkout });
  return stdout.split("\0").filter((name) => name !== "");
}
