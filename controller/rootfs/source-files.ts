import { readSourceFiles } from "../artefacts/read-source-files.ts";

/** The shell scripts of the root filesystem and its initial RAM disk, by file name. */
export const sourceFiles = readSourceFiles(import.meta.dirname);
