import { join } from "node:path";
import { digestSources } from "../proto/digest-sources.ts";

/** Changes with every change of this program's sources. */
export const sourceDigest: string = digestSources(join(import.meta.dirname, ".."), ["controller", "proto"]);
