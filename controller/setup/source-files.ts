import { readSourceFiles } from "../artefacts/read-source-files.ts";

/** The controller's systemd units, its user and its folders, by file name. */
export const sourceFiles = readSourceFiles(import.meta.dirname);
