// The namespace, not the name z: of that a bundler can leave out what is not used, 45 languages among it.
import * as z from "zod";
import { limits } from "../../limits.ts";

const atMost = (most: number, what: string) => `must have at most ${most} ${what}`;

/** Text as a program can be given it (execve(2)): without a zero. */
const given = (mostCharacters: number) =>
  z
    .string()
    .max(mostCharacters, atMost(mostCharacters, "characters"))
    .refine((text) => !text.includes("\0"), "must not hold a NUL character");

/** At most so many entries, of the given names. */
const named = <Value extends z.ZodType>(form: RegExp, message: string, value: Value, mostEntries: number) =>
  z
    .record(z.string(), value)
    .refine((entries) => Object.keys(entries).every((name) => form.test(name)), message)
    .refine((entries) => Object.keys(entries).length <= mostEntries, `must have at most ${mostEntries} entries`);

const command = z.strictObject({
  kind: z.literal("command"),
  words: z
    .array(given(limits.tasks.wordCharacters.most))
    .min(1, "must begin with a program")
    .max(limits.tasks.words.most, atMost(limits.tasks.words.most, "words"))
    .refine(([program]) => program !== "", "must begin with a program"),
});

const script = z.strictObject({
  kind: z.literal("script"),
  text: given(limits.tasks.scriptCharacters.most).refine(
    (text) => /^#![ \t]*\/[^\s]/.test(text),
    'must begin with "#!" and the absolute path of its interpreter, for example #!/bin/sh',
  ),
});

/** One task; see TaskConfig. Messages name fields, and nothing of what is secret. */
export const taskSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9 and "-", and not begin with "-"'),
  run: z.discriminatedUnion("kind", [command, script]),
  timeoutMs: z
    .int()
    .min(1, "must be 1 ms or longer")
    .max(limits.tasks.timeoutMs.most, `must be ${limits.tasks.timeoutMs.most} ms or shorter`),
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,31}$/, "must be a user's name as useradd(8) takes it")
    .exactOptional(),
  environment: named(
    /^(?!PALLET_)[A-Za-z_][A-Za-z0-9_]{0,63}$/,
    'must have names of variables: at most 64 of letters, digits and "_", not begun by a digit or "PALLET_"',
    given(limits.tasks.valueCharacters.most),
    limits.tasks.variables.most,
  ).exactOptional(),
  secrets: named(
    /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/,
    'must have names of files: at most 64 of letters, digits, ".", "_" and "-", not begun by "." or "-"',
    z.string().max(limits.tasks.secretCharacters.most, atMost(limits.tasks.secretCharacters.most, "characters")),
    limits.tasks.secrets.most,
  ).exactOptional(),
});

/** The tasks of a node, in their order. */
export const tasksSchema = z
  .array(taskSchema)
  .max(limits.tasks.ofNode.most)
  .refine((tasks) => new Set(tasks.map(({ name }) => name)).size === tasks.length, "must have names of their own");
