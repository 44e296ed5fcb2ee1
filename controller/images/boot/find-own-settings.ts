import { Failure } from "../../../proto/failure.ts";
import type { SystemAbilities } from "../../../proto/system/config/abilities.ts";
import { parseYaml } from "../../yaml/parse-yaml.ts";
import { type OwnSettings, type SettingsField, settingsFields } from "../catalogue/own-settings.ts";
import type { ExtFiles } from "../filesystems/ext-files.ts";
import { maximumBytes } from "./boot-file-limits.ts";
import type { FirmwarePartition } from "./firmware-partition.ts";
import { scriptNameOf } from "./plan-first-boots.ts";
import { readScriptSettings, readTomlSettings, readUserData, readUserNames } from "./read-own-settings.ts";

/** Where cloud-init's NoCloud finds its seed besides the firmware's partition, each in place of the ones before it. */
const seeds = ["/var/lib/cloud/seed/nocloud/user-data", "/var/lib/cloud/seed/nocloud-net/user-data"];

/** What of an image decides on its own settings. */
export interface SettingsPlace {
  readonly firmware: FirmwarePartition | undefined;
  /** Its root filesystem, where it can be looked into. */
  readonly root: ExtFiles | undefined;
  readonly abilities: SystemAbilities | undefined;
  /** Its own kernel command line, without those for the first boot. */
  readonly words: readonly string[];
  readonly firstBootWords: readonly string[];
}

/**
 * Finds the settings that somebody has put into an image for its first boot, as Raspberry Pi Imager does, and what they
 * set; those that nothing in the image reads are left out, and those that set nothing that a profile could. What is longer
 * than such a file is, or cannot be read as one, counts as setting everything.
 */
export async function findOwnSettings(place: SettingsPlace): Promise<readonly OwnSettings[]> {
  const { firmware, root, abilities, words, firstBootWords } = place;
  const onFirmware = (name: string) => reading(() => firmware?.files.readText(name, maximumBytes.text));
  const found: (OwnSettings | undefined)[] = [];
  const note = (file: string, reader: OwnSettings["reader"], text: string | Unread | undefined, read: Read) =>
    found.push(
      text === undefined ? undefined : { file, reader, ...(text === unread ? { sets: settingsFields } : read(text)) },
    );

  note("custom.toml", "firstboot", await onFirmware("custom.toml"), setsOf(readTomlSettings));
  const script = firstBootWords.map(scriptNameOf).find((name) => name !== undefined);
  if (script !== undefined) note(script, "systemd-run", await onFirmware(script), setsOf(readScriptSettings));
  if ((abilities?.units["rpi-preseed.service"]?.links ?? []).length > 0)
    note("rpi-preseed.toml", "rpi-preseed", await onFirmware("rpi-preseed.toml"), setsOf(readTomlSettings));
  if (abilities?.cloudInit === true && !words.includes("cloud-init=disabled")) {
    note("user-data", "cloud-init", await onFirmware("user-data"), readUserDataText);
    for (const path of seeds)
      note(path, "cloud-init", await reading(() => root?.readText(path, maximumBytes.text)), readUserDataText);
  }
  return found.filter((each) => each !== undefined && each.sets.length > 0).map((each) => each as OwnSettings);
}

type Found = Pick<OwnSettings, "sets" | "userNames">;
type Read = (text: string) => Found;
const setsOf =
  (read: (text: string) => readonly SettingsField[]): Read =>
  (text) => ({ sets: read(text) });
const unread = Symbol("a text that is too long, or damaged");
type Unread = typeof unread;

async function reading(read: () => Promise<string | undefined> | undefined): Promise<string | Unread | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Failure && ["unsupported", "image-damaged"].includes(error.reason)) return unread;
    throw error;
  }
}

/** By its first line (cloud-init: user-data formats): YAML, a script, or what nothing is known of. */
function readUserDataText(text: string): Found {
  if (text.startsWith("#!")) return { sets: readScriptSettings(text) };
  if (text.trim() === "") return { sets: [] };
  if (!/^#cloud-config\s*$/m.test(text.split("\n", 1)[0] ?? "")) return { sets: settingsFields };
  const { contents, problems, toValue } = parseYaml(text);
  if (problems.length > 0) return { sets: settingsFields };
  const value = contents === undefined ? undefined : toValue(contents);
  const [sets, userNames] = [readUserData(value), readUserNames(value)];
  return { sets, ...(sets.includes("users") && userNames !== undefined && { userNames }) };
}
