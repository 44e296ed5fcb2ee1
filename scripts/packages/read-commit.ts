import { Failure } from "../../proto/failure.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import type { SourceCommit } from "./package-version.ts";

/** What git(1) says of a checkout. Throws Failure "invalid" where it is none: packages are named by their commit. */
export async function readCommit(repository: string): Promise<SourceCommit> {
  const git = (...args: readonly string[]) => execa("git", ["-C", repository, ...args]);
  try {
    const [hash = "", time = ""] = (await git("log", "-1", "--format=%H %ct")).stdout.split(" ");
    const { stdout: changes } = await git("status", "--porcelain");
    return { hash, committedAt: Number(time), isChanged: changes !== "" };
  } catch (cause) {
    const { stderr, shortMessage } = cause as { stderr?: string; shortMessage?: string };
    const remedy = "packages get their version and time from a commit: build them in a clone of the repository";
    throw new Failure(
      "invalid",
      `git cannot tell the commit of ${repository} (${stderr?.trim() || shortMessage}); ${remedy}`,
      {
        cause,
      },
    );
  }
}
