import { join } from "node:path";
import { digestModule } from "../artefacts/digest-module.ts";
import { readSourceFiles } from "../artefacts/read-source-files.ts";

/** The fragment of U-Boot's configuration, by file name. */
export const sourceFiles = readSourceFiles(import.meta.dirname);

/** Of the code that builds U-Boot. */
export const uBootDigest = digestModule(join(import.meta.dirname, "provide-u-boot.ts"));

/** Of the code that takes the firmware out of its package. */
export const firmwareDigest = digestModule(join(import.meta.dirname, "provide-firmware.ts"));
