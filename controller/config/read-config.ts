import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { describeUnreadable } from "../refusal/unreadable.ts";
import type { Config } from "./config.ts";
import type { GivenValues } from "./given-value.ts";
import { parseConfigFile } from "./parse-config-file.ts";
import { parseEnvironment, parseFlags } from "./parse-text-values.ts";
import { configFailure, resolveConfig } from "./resolve-config.ts";

/** Where a config comes from. */
export interface ConfigInputs {
  /** Options of `controller serve` by their names in camel case; `config` names the file. */
  readonly options: Readonly<Record<string, string | boolean>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths in options and variables are meant from. */
  readonly workingDirectory: string;
}

/** The default config file, read if it exists and no other is named. */
export const defaultConfigFile = "/etc/pallet/pallet.yaml";

/** The config file that is meant; it need not be there. */
export function configFileOf({ options, env, workingDirectory }: ConfigInputs): string {
  return resolve(workingDirectory, namedFile({ options, env }) ?? defaultConfigFile);
}

/** Reads the file and combines all sources. Throws one Failure that lists every problem. */
export async function readConfig(inputs: ConfigInputs): Promise<Config> {
  return combine(inputs, await readFileValues(configFileOf(inputs), namedFile(inputs) !== undefined));
}

/** The same with a text in the place of the file's. Throws one Failure that lists every problem. */
export function configWith(inputs: ConfigInputs, text: string): Config {
  return combine(inputs, parseConfigFile(text, configFileOf(inputs)));
}

function namedFile({ options, env }: Pick<ConfigInputs, "options" | "env">): string | undefined {
  return typeof options["config"] === "string" ? options["config"] : env["PALLET_CONFIG"] || undefined;
}

function combine(inputs: ConfigInputs, ofFile: GivenValues): Config {
  const { options, env, workingDirectory } = inputs;
  const result = resolveConfig(
    [parseFlags(options, workingDirectory), parseEnvironment(env, workingDirectory), ofFile],
    dirname(configFileOf(inputs)),
  );
  if (!result.ok) throw configFailure(result.problems);
  return result.config;
}

async function readFileValues(path: string, required: boolean): Promise<GivenValues> {
  try {
    return parseConfigFile(await readFile(path, "utf8"), path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && !required) return { values: new Map(), problems: [] };
    return {
      values: new Map(),
      problems: [`${path}: ${describeUnreadable(path, code ?? message)}; or choose another with --config`],
    };
  }
}
