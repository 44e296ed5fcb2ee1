import { sourceDigest } from "./source-files.ts";

/** The version of package.json, which is not available inside a bundle. */
const release = "0.1.0";

/** The agent's version: that of the package, and what changes with every change of the agent's sources. */
export const version = `${release}+${sourceDigest}`;
