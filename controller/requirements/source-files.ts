import { readSourceFiles } from "../artefacts/read-source-files.ts";

/** The shell script that installs Debian packages, by file name; scripts/setup runs the same. */
export const sourceFiles = readSourceFiles(import.meta.dirname);
