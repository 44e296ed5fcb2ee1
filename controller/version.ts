import { sourceDigest } from "./source-files.ts";

/** The version of package.json, which is not available inside a bundle. */
const release = "0.1.0";

/** The controller's version: that of the package, and what changes with every change of the controller's sources. */
export const version = `${release}+${sourceDigest}`;
