import process from "node:process";
import { isSea } from "node:sea";
import { z } from "zod";
import { execa } from "../../proto/linux/leashed-execa.ts";
import type { Config } from "../config/config.ts";
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
 * Has root's report say what the user finds that the controller's unit runs as: the same check, done as that user; and where the
 * unit lets nobody write. The report itself where this is not root, or there is no such unit.
 *
 * @param argv the program's arguments, as process.argv
 */
export async function checkAsService(
  report: CheckReport,
  config: Pick<Config, "stateDirectory" | "imageDirectory">,
  argv: readonly string[],
): Promise<CheckReport> {
  const service = process.geteuid?.() === 0 ? await readService() : undefined;
  if (service === undefined) return report;
  const folders = [...new Set([config.stateDirectory, config.imageDirectory])];
  const problems = [...(await checkAs(service.user, argv)), ...selectShutOut(folders, service)];
  return { ...report, problems: replaceOwnParts(report.problems, problems) };
}

/** What a unit says of the rights of its service (systemd.exec(5)). */
export interface ServiceRights {
  readonly user: string;
  /** Where it may write; undefined where that is not for the unit to say. */
  readonly writable: readonly string[] | undefined;
}

/** Reads what `systemctl show` says of a unit; undefined where there is none, or it is root's. */
export function parseServiceRights(text: string): ServiceRights | undefined {
  const properties = new Map(
    text.split("\n").map((line) => {
      const [key = "", ...value] = line.split("=");
      return [key, value.join("=")] as const;
    }),
  );
  const user = properties.get("User") ?? "";
  if (user === "" || user === "root" || user === "0") return undefined;
  const paths = (properties.get("ReadWritePaths") ?? "").split(" ").filter((word) => word !== "");
  // A minus: where it is missing, that is no error; a plus: below RootDirectory=.
  const writable = paths.map((word) => word.replace(/^-?\+?/, ""));
  return { user, writable: properties.get("ProtectSystem") === "strict" ? writable : undefined };
}

/** What a unit keeps its service from writing to, whoever it belongs to. */
export function selectShutOut(folders: readonly string[], { writable }: ServiceRights): readonly Problem[] {
  if (writable === undefined) return [];
  const isBelow = (folder: string, top: string): boolean => folder === top || folder.startsWith(`${top}/`);
  return folders
    .filter((folder) => !writable.some((top) => isBelow(folder, top)))
    .map((folder) => ({
      part: "rights",
      message: `${unit} may not write to ${folder} (ProtectSystem=strict)`,
      remedy: `systemctl edit ${unit}, with a line [Service] and below it ReadWritePaths=${folder}; then restart it`,
      isFatal: false,
    }));
}

/** A user's own view in place of root's, of what depends on who looks. */
export function replaceOwnParts(ofRoot: readonly Problem[], ofUser: readonly Problem[]): readonly Problem[] {
  const isOwn = ({ part }: Problem): boolean => ownParts.some((own) => own === part);
  return [...ofRoot.filter((problem) => !isOwn(problem)), ...ofUser.filter(isOwn)].toSorted(
    (one, other) => problemParts.indexOf(one.part) - problemParts.indexOf(other.part),
  );
}

/** Of the controller's unit; undefined also where there is no systemd. */
async function readService(): Promise<ServiceRights | undefined> {
  const { stdout } = await execa("systemctl", ["show", "--property=User,ProtectSystem,ReadWritePaths", unit], {
    reject: false,
    stdin: "ignore",
    env: systemEnvironment,
  });
  return parseServiceRights(stdout ?? "");
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
