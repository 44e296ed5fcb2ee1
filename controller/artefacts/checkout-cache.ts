import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { chooseCache } from "./choose-cache.ts";

/**
 * The user's cache, or its folder for one kind of artefact, for programs that run from a checkout: all checkouts share
 * it.
 */
export function checkoutCache(kind = ""): string {
  return join(chooseCache({ environment: process.env, home: homedir(), installed: false }), kind);
}
