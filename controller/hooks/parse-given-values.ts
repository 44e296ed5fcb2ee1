import { Failure } from "../../proto/failure.ts";
import { limits } from "../../proto/limits.ts";
import type { GivenValues, HookGifts } from "./hook.ts";

/** For messages. */
const shape = '{"values": {"NAME": "TEXT"}, "secrets": {"NAME": "TEXT"}}';

/**
 * Reads what a hook has answered: JSON with exactly the values and secrets that its `gives` names. Throws a Failure
 * (hook-failed) that repeats nothing of it, which may be a secret.
 */
export function parseGivenValues({ values, secrets }: HookGifts, answer: string): GivenValues {
  const given = readJson(answer);
  const others = Object.keys(given).filter((name) => name !== "values" && name !== "secrets");
  if (others.length > 0)
    throw refuse(`it answered with other fields than "values" and "secrets"; it has to be ${shape}`);
  return { values: pick(given, "values", values), secrets: pick(given, "secrets", secrets) };
}

function readJson(answer: string): Record<string, unknown> {
  if (answer.trim() === "") throw refuse(`it gives values, and answered nothing; it has to answer ${shape}`);
  let given: unknown;
  try {
    given = JSON.parse(answer);
  } catch {
    // What the parser says repeats the answer.
    throw refuse(
      `it gives values, and did not answer with JSON alone; it has to be ${shape}, and all else on standard error`,
    );
  }
  return asMap(given) ?? fail(`it answered with JSON of another shape; it has to be ${shape}`);
}

function pick(
  given: Readonly<Record<string, unknown>>,
  kind: "values" | "secrets",
  names: readonly string[],
): Record<string, string> {
  const field = Object.hasOwn(given, kind) ? given[kind] : {};
  const map = asMap(field) ?? fail(`its ${kind} are no map of names to texts; it has to be ${shape}`);
  if (Object.keys(map).some((name) => !names.includes(name)))
    throw refuse(`it answered with ${kind} that its "gives" does not name; name them there, or leave them out`);
  return Object.fromEntries(
    names.map((name) => {
      const value = Object.hasOwn(map, name) ? map[name] : undefined;
      const what = `${kind === "values" ? "the value" : "the secret"} ${name}`;
      if (value === undefined) throw refuse(`it did not give ${what}, which its "gives" names`);
      if (typeof value !== "string") throw refuse(`it gave ${what}, which is no text; put it in quotes`);
      if (value === "") throw refuse(`it gave ${what}, which is empty`);
      if (value.includes("\0")) throw refuse(`it gave ${what}, which has a NUL`);
      const most = limits.hooks.valueCharacters.most;
      if (value.length > most)
        throw refuse(`it gave ${what}, which has ${value.length} characters; it may have at most ${most}`);
      return [name, value] as const;
    }),
  );
}

function asMap(value: unknown): Record<string, unknown> | undefined {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
  return isMap ? (value as Record<string, unknown>) : undefined;
}

function refuse(why: string): Failure {
  return new Failure("hook-failed", why);
}

function fail(why: string): never {
  throw refuse(why);
}
