import process from "node:process";
import { isSea } from "node:sea";
import { z } from "zod";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { systemEnvironment } from "../network/supervise-process.ts";
import type { CheckReport } from "./check-serving.ts";
import { type Problem, problemParts } from "./problem.ts";

const unit = "pallet-controller.service";
/** What depends on who looks: to root, what others may not do is no matter of rights. */
const ownParts = ["rights", "hooks"] as const satisfies readonly Problem["part"][];
/** The only one that the unit has (AmbientCapabilities=). */
const capability = "net_bind_service";

const reported = z.object({
  problems: z.array(
    z.object({ part: z.enum(problemParts), message: z.string(), remedy: z.string(), isFatal: z.boolean() }),
  ),
});

/**
 * Has root's report say what the user finds that the controller's unit runs as: the same check, done as that user. The report
 * itself where this is not root, or there is no such unit.
 *
 * @param argv the program's arguments, as process.argv
 */
export async function checkAsService(report: CheckReport, argv: readonly string[]): Promise<CheckReport> {
  const user = process.geteuid?.() === 0 ? await readServiceUser() : undefined;
  if (user === undefined) return report;
  const problems = await checkAs(user, argv);
  return { ...report, problems: replaceOwnParts(report.problems, problems) };
}

/** A user's own view in place of root's, of what depends on who looks. */
export function replaceOwnParts(ofRoot: readonly Problem[], ofUser: readonly Problem[]): readonly Problem[] {
  const isOwn = ({ part }: Problem): boolean => ownParts.some((own) => own === part);
  return [...ofRoot.filter((problem) => !isOwn(problem)), ...ofUser.filter(isOwn)].toSorted(
    (one, other) => problemParts.indexOf(one.part) - problemParts.indexOf(other.part),
  );
}

/** The user of the controller's unit; undefined where there is none, it is root's, or the machine has no systemd. */
async function readServiceUser(): Promise<string | undefined> {
  const { stdout } = await execa("systemctl", ["show", "--property=User", "--value", unit], {
    reject: false,
    stdin: "ignore",
    env: systemEnvironment,
  });
  const user = stdout?.trim() ?? "";
  return user === "" || user === "root" || user === "0" ? undefined : user;
}

async function checkAs(user: string, [, main, ...args]: readonly string[]): Promise<readonly Problem[]> {
  const group = await execa("id", ["--group", user], { reject: false, env: systemEnvironment });
  const rights = [
    ...[`--reuid=${user}`, `--regid=${group.stdout}`, "--init-groups", "--no-new-privs"],
    ...["inh-caps", "ambient-caps", "bounding-set"].map((set) => `--${set}=-all,+${capability}`),
  ];
  const program = [process.execPath, ...(isSea() || main === undefined ? [] : [main])];
  const checked = args.filter((word) => word !== "--install" && word !== "--json");
  const { stdout, stderr, shortMessage } = await execa("setpriv", [...rights, "--", ...program, ...checked, "--json"], {
    reject: false,
    stdin: "ignore",
  });
  const parsed = reported.safeParse(parseJson(stdout));
  if (parsed.success) return parsed.data.problems;
  const said = stderr?.trim().split("\n").at(-1) || shortMessage || "it said nothing";
  return [
    {
      part: "rights",
      message: `the user ${user}, as which ${unit} runs, cannot check this (${said})`,
      remedy: `let ${user} read what that names, or make the user: systemd-sysusers pallet.conf`,
      isFatal: true,
    },
  ];
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
