import { readSourceFiles } from "../artefacts/read-source-files.ts";

/** The fragment of U-Boot's configuration, by file name. */
export const sourceFiles = readSourceFiles(import.meta.dirname);
