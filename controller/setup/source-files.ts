import { readSourceFiles } from "../artefacts/read-source-files.ts";

/** The controller's systemd unit, by file name. */
export const sourceFiles = readSourceFiles(import.meta.dirname);
