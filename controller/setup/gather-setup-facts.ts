import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import process from "node:process";
import { Failure, messageOf } from "../../proto/failure.ts";
import { readPorts } from "../check/read-ports.ts";
import type { Config } from "../config/config.ts";
import { readConfig } from "../config/read-config.ts";
import { settings } from "../config/settings.ts";
import { planServe } from "../network/plan-requirements.ts";
import { findMissing } from "../requirements/find-unmet.ts";
import type { Requirements } from "../requirements/requirements.ts";
import { readSchemaVersion } from "../store/read-schema-version.ts";
import { databaseIn } from "../store/replace-state.ts";
import { migrations } from "../store/schema.ts";
import type { Content } from "./content.ts";
import { consideredPlaces, consideredUnits } from "./debian-units.ts";
import type { SetupFacts } from "./facts.ts";
import { type Journal, journalFile, parseJournal } from "./journal.ts";
import { type Machine, readPlaces, whyUnwritable } from "./machine.ts";
import { parseLinks, parseRoutes } from "./parse-links.ts";
import { parseRuleset } from "./parse-ruleset.ts";
import { parseUnits, unitProperties } from "./parse-units.ts";
import { isUnset, packagedUnit, possiblePaths, setupPaths } from "./render-files.ts";
import { firewallTable } from "./render-firewall.ts";
import { rackName } from "./setup-choice.ts";
import { sourceFiles } from "./source-files.ts";

/** What a setup, and the controller that it starts, need of a machine's packages where it has no configuration yet. */
export const setupRequirements: Requirements = requirementsOf(undefined);

/** The same by the configuration that is there. */
export async function readSetupRequirements(machine: Machine): Promise<Requirements> {
  return requirementsOf(await readGivenConfig(machine));
}

function requirementsOf(config: Config | string | undefined): Requirements {
  const serving =
    typeof config === "object" ? config : ({ dhcp: { mode: "server" }, nfs: { mode: "ganesha" } } as const);
  const own = ["ip", "sysctl", "nft", "chronyd", "networkctl", "udevadm"] as const;
  return { command: "setup", needs: [...own, ...planServe(serving).needs] };
}

/**
 * What an earlier setup noted on this machine. Throws a Failure for a note that cannot be read, or is not root's: its folder is one
 * where the controller may write, and it says what root is to write and to remove.
 */
export async function readJournal(machine: Machine): Promise<Journal | undefined> {
  const content = await machine.read(journalFile);
  if (content.kind !== "file") return undefined;
  const owner = await machine.ownerOf(journalFile);
  if (owner !== 0 && owner !== process.geteuid?.())
    throw new Failure(
      "not-permitted",
      `${journalFile} belongs to user ${owner}, and only root notes there what a setup changed: remove it`,
    );
  return parseJournal(content.text);
}

/** Looks at this machine, and changes nothing. Throws Failure "unsupported" where systemd does not run it. */
export async function gatherSetupFacts(
  machine: Machine,
  env: Readonly<Record<string, string | undefined>>,
): Promise<SetupFacts> {
  // sd_booted(3).
  if (!existsSync("/run/systemd/system"))
    throw new Failure("unsupported", "systemd does not run this machine: a setup needs Debian 12 with systemd");
  const journal = await readJournal(machine);
  const config = await readGivenConfig(machine);
  const missing = await findMissing(requirementsOf(config).needs);
  const has = (program: Requirements["needs"][number]): boolean => !missing.includes(program);
  const files = await readPlaces(consideredPlaces);
  const contents = new Map<string, Content>();
  for (const file of new Set([...possiblePaths, ...(journal?.files.map(({ path }) => path) ?? [])]))
    contents.set(file, await machine.read(file));
  const controller =
    typeof config === "object"
      ? config
      : { socket: settings.socket.fallback, stateDirectory: settings.stateDirectory.fallback };
  const unwritable = await Promise.all(
    ["/etc/systemd/system", "/etc/pallet", "/var/lib/pallet"].map(async (folder) => {
      const reason = await whyUnwritable(folder);
      return reason === undefined ? [] : [{ folder, reason }];
    }),
  );
  // "fe80::1%eth1", where it is one of the link.
  const loginAddress = env["SSH_CONNECTION"]?.split(" ")[2]?.split("%")[0];
  const schema = await readSchemaVersion(databaseIn(controller.stateDirectory));
  const isRoot = process.getuid?.() === 0;
  return {
    isRoot,
    missing,
    links: has("ip") ? parseLinks(await machine.run("ip", "-json", "-details", "address"), await wireless()) : [],
    routes: has("ip")
      ? [
          ...parseRoutes(await machine.run("ip", "-json", "-4", "route")),
          ...parseRoutes(await machine.run("ip", "-json", "-6", "route", "show", "default"), "::/0"),
        ]
      : [],
    units: parseUnits(
      await machine.run("systemctl", "show", `--property=${unitProperties}`, ...consideredUnits),
      consideredUnits,
    ),
    files,
    contents,
    ports: await readPorts(controller),
    droppingChains:
      has("nft") && isRoot
        ? parseRuleset(await machine.run("nft", "--json", "list", "ruleset"), firewallTable, rackName)
        : [],
    forwards: (await readFile("/proc/sys/net/ipv4/ip_forward", "utf8")).trim() === "1",
    ...(config !== undefined && { config }),
    unwritable: unwritable.flat(),
    ...(loginAddress !== undefined && { loginAddress }),
    hasProgram: (await machine.read("/usr/local/bin/controller")).kind !== "absent",
    ...(schema !== undefined && { state: { schema, known: migrations.length } }),
    packagedConfig: packagedConfig(),
    isPackaged: existsSync(packagedUnit),
    sources: sourceFiles,
    hasUser: /^pallet:/m.test(await readFile("/etc/passwd", "utf8")),
    ...(journal !== undefined && { journal }),
  };
}

function packagedConfig(): string {
  return sourceFiles["pallet.yaml"] ?? "";
}

/** The configuration that the service will have, of its file alone; a string says why it cannot be read. */
async function readGivenConfig(machine: Machine): Promise<Config | string | undefined> {
  if (isUnset(await machine.read(setupPaths.config), packagedConfig())) return undefined;
  try {
    return await readConfig({ options: { config: setupPaths.config }, env: {}, workingDirectory: "/" });
  } catch (error) {
    return messageOf(error);
  }
}

async function wireless(): Promise<readonly string[]> {
  const names = await readdir("/sys/class/net");
  // A link to the radio, in /sys only of the host's network: a container's interfaces are none.
  return names.filter((name) => existsSync(`/sys/class/net/${name}/phy80211`));
}
