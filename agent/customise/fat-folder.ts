import { mtoolsEnvironment, parseMdir, renderDrive } from "../../proto/disk/mtools.ts";
import { Failure } from "../../proto/failure.ts";
import { runTool } from "../linux/run-tool.ts";

/** A FAT filesystem that is at an offset of a disk, where no partition table needs to say so. */
export interface FatPlace {
  /** Path of the whole disk. */
  readonly device: string;
  readonly offsetBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Names in the root folder of a FAT filesystem, hidden ones too, as they are written there. Read by mtools(1): the
 * kernel need not know FAT, and nothing is mounted. Throws a Failure: `tool-failed` with mtools' own words,
 * `cancelled`.
 */
export async function listFatRoot(place: FatPlace): Promise<readonly string[]> {
  const { device, offsetBytes, signal } = place;
  const task = `list the FAT filesystem at byte ${offsetBytes} of ${device}`;
  const { exitCode, stdout, stderr } = await runTool({
    tool: "mdir",
    args: ["-i", driveOf(place), "-b", "-a", "::/"],
    task,
    acceptedExitCodes: [0, 1],
    environment: mtoolsEnvironment,
    signal,
  });
  const paths = parseMdir(exitCode, stdout, stderr);
  if (paths === undefined) throw new Failure("tool-failed", `cannot ${task}: ${stderr.trim().split("\n").at(-1)}`);
  return paths.map((path) => path.replace(/\/$/, ""));
}

/**
 * Gives a file in the root folder another name, in place of a file that has that name already. `to` has to fit the
 * old form of eight and three characters: then one entry of the folder changes and nothing else, which needs no space
 * and which mren(1) does reliably (when a name needs more entries than before, mtools 4.0.32 may stop with a failed
 * assertion in dirCache.c). Throws as listFatRoot() does.
 */
export async function renameInFatRoot(place: FatPlace, from: string, to: string): Promise<void> {
  const { device, offsetBytes, signal } = place;
  await runTool({
    tool: "mren",
    args: ["-i", driveOf(place), "-D", "o", `::/${from}`, to],
    task: `rename ${from} to ${to} in the FAT filesystem at byte ${offsetBytes} of ${device}`,
    environment: mtoolsEnvironment,
    signal,
  });
}

/**
 * The text of a file in the root folder; undefined when there is none of that name. Throws as listFatRoot() does, and
 * `invalid` when it is longer than `mostBytes`.
 */
export async function readFromFatRoot(place: FatPlace, name: string, mostBytes: number): Promise<string | undefined> {
  const found = (await listFatRoot(place)).find((each) => each.toLowerCase() === name.toLowerCase());
  if (found === undefined) return undefined;
  const { device, offsetBytes, signal } = place;
  const task = `read ${found} of the FAT filesystem at byte ${offsetBytes} of ${device}`;
  const { stdout } = await runTool({
    tool: "mtype",
    args: ["-i", driveOf(place), `::/${found}`],
    task,
    environment: mtoolsEnvironment,
    signal,
  });
  if (stdout.length > mostBytes) throw new Failure("invalid", `cannot ${task}: it is longer than ${mostBytes} bytes`);
  return stdout;
}

/** Puts a file of this machine into the root folder, in place of what has that name. Throws as listFatRoot() does. */
export async function placeInFatRoot(place: FatPlace, file: string, name: string): Promise<void> {
  const { device, offsetBytes, signal } = place;
  await runTool({
    tool: "mcopy",
    args: ["-i", driveOf(place), "-D", "o", file, `::/${name}`],
    task: `write ${name} to the FAT filesystem at byte ${offsetBytes} of ${device}`,
    environment: mtoolsEnvironment,
    signal,
  });
}

function driveOf({ device, offsetBytes }: FatPlace): string {
  return renderDrive(device, offsetBytes);
}
