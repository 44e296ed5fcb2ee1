import { readFile } from "node:fs/promises";
import { type Endpoint, renderEndpoint } from "../../proto/names/endpoint.ts";
import { type KeptSettings, parseResidentSettings, replaceControllers } from "../../proto/system/resident-settings.ts";
import { replaceFile } from "../linux/replace-file.ts";
import { sameEndpoints } from "./controller-list.ts";

/** Where what goes wrong is told. */
interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

/**
 * The settings that a reimage left in this system: none where there is no file. A file that cannot be read or is broken
 * does not keep the agent from starting with what it knows otherwise: that is the trouble then.
 */
export async function readSettings(
  file: string,
): Promise<{ readonly settings?: KeptSettings; readonly trouble?: Error }> {
  try {
    return { settings: parseResidentSettings(await readFile(file, "utf8")) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    return { trouble: new Error(`${file}: ${(error as Error).message}`, { cause: error }) };
  }
}

/**
 * Has the settings of this system name these addresses of the controller, so that it is found there even at a boot
 * without its words. Writes only where there are settings already and they say something else, and so that a power cut
 * leaves the old file or the new one. Never rejects: a system that is read-only goes on as it is, and says so.
 */
export async function keepControllers(file: string, controllers: readonly Endpoint[], log: Log): Promise<void> {
  try {
    const text = await readFile(file, "utf8");
    if (sameEndpoints(parseResidentSettings(text).controllers, controllers)) return;
    await replaceFile(file, replaceControllers(text, controllers), 0o644);
    log.info({ file, controllers: controllers.map(renderEndpoint) }, "the controller's addresses have changed");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    log.warn({ err: error, file }, "could not keep the controller's addresses for a boot without its words");
  }
}
