import { join } from "node:path";
import { digestModule } from "../artefacts/digest-module.ts";
import { readSourceFiles } from "../artefacts/read-source-files.ts";

/** The shell scripts of the root filesystem and its initrd, by file name. */
export const sourceFiles = readSourceFiles(import.meta.dirname);

/** Of the code that builds the base system. */
export const baseSystemDigest = digestModule(join(import.meta.dirname, "base-system.ts"));

/** Of the code that builds the second kernel. */
export const backportsKernelDigest = digestModule(join(import.meta.dirname, "backports-kernel.ts"));

/** Of the code that compresses the agent. */
export const compressAgentDigest = digestModule(join(import.meta.dirname, "compress-agent.ts"));
