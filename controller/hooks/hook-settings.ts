import { z } from "zod";
import { limits } from "../../proto/limits.ts";
import { parseLabelSelector } from "../nodes/parse-label-selector.ts";
import { type Hook, hookMoments } from "./hook.ts";

/** A node that is drained has pods that take a minute or two to end; what takes longer says so. */
const defaultTimeoutMs = 300_000;

const mostHooks = limits.hooks.configured.most;
const mostOfName = limits.hooks.nameCharacters.most;
const mostWords = limits.hooks.commandArguments.most;
const mostOfWord = limits.hooks.argumentCharacters.most;
const mostOfUrl = limits.hooks.urlCharacters.most;
const name = new RegExp(`^[a-z0-9]([a-z0-9-]{0,${mostOfName - 2}}[a-z0-9])?$`);
const webAddress = /^https?:\/\/[^\s/?#]+([/?#]\S*)?$/;
const wantsName = `a name of at most ${mostOfName} small letters, digits and "-"`;
const wantsPath = "an absolute path";
const wantsCommand = `a list of the program's absolute path and its arguments, at most ${mostWords} in all`;
const wantsTimeout = "a number of milliseconds from 100 to 86400000 (a day)";
const wantsUrl = `an http or https address of at most ${mostOfUrl} characters`;
const wantsLabels = 'a label selector, for example "rack=a"';

const path = z
  .string(wantsPath)
  .regex(/^\/[^\0]*$/, wantsPath)
  .max(mostOfWord, wantsPath);
const argument = z
  .string("text, in quotes where it looks like a number")
  .regex(/^[^\0]*$/, "text without a NUL")
  .max(mostOfWord, `at most ${mostOfWord} characters`);

const labels = z.string(wantsLabels).transform((text, context) => {
  try {
    return parseLabelSelector(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
    return z.NEVER;
  }
});

const giftName = /^[a-z][a-z0-9_]{0,62}$/;
const wantsGift = 'names of small letters, digits and "_"';
const giftNames = z.array(z.string(wantsGift).regex(giftName, wantsGift), `a list of ${wantsGift}`).optional();
const gives = z
  .strictObject({ values: giftNames, secrets: giftNames }, 'the lists "values" and "secrets"')
  .transform(({ values = [], secrets = [] }, context) => {
    const names = [...values, ...secrets];
    const most = limits.hooks.givenValues.most;
    const problem =
      names.length === 0
        ? "it names nothing; name what the hook gives, or delete it"
        : names.length > most
          ? `it names ${names.length} values and secrets; a hook gives at most ${most}`
          : new Set(values).size < values.length || new Set(secrets).size < secrets.length
            ? "it names one thing twice"
            : undefined;
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
    return { values, secrets };
  })
  .optional();

function hasPassword(text: string): boolean {
  return /^https?:\/\/[^/?#]*@/.test(text);
}

const fields = {
  name: z.string(wantsName).regex(name, wantsName),
  when: z.enum(hookMoments, `one of ${hookMoments.join(", ")}`),
  command: z.tuple([path], argument, wantsCommand).check(z.maxLength(mostWords, wantsCommand)).optional(),
  webhook: z
    .string(wantsUrl)
    .regex(webAddress, wantsUrl)
    .max(mostOfUrl, wantsUrl)
    // Not repeated here either.
    .refine((text) => !hasPassword(text), "leave user and password out: they would be in every message about it")
    .refine(URL.canParse, "there is no such address")
    .optional(),
  secretFile: path.optional(),
  labelSelector: labels.optional(),
  gives,
  timeoutMs: z.int(wantsTimeout).min(100, wantsTimeout).max(86_400_000, wantsTimeout).optional(),
};

const written = z.strictObject(fields, "a group of keys").transform((given, context): Hook => {
  const refuse = (message: string): never => {
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  };
  const { command, webhook, secretFile } = given;
  const about = {
    name: given.name,
    when: given.when,
    labels: given.labelSelector ?? [],
    timeoutMs: given.timeoutMs ?? defaultTimeoutMs,
    ...(given.gives && { gives: given.gives }),
  };
  if (given.gives !== undefined && given.when !== "before-reimage")
    return refuse(`${given.name} gives values, which only a before-reimage hook can; delete "gives"`);
  if (command !== undefined && webhook !== undefined)
    return refuse(`${given.name} has a command and a webhook; make two hooks of it`);
  if (command !== undefined) {
    if (secretFile !== undefined) return refuse(`${given.name} has a secretFile, which only a webhook has; delete it`);
    return { ...about, action: { kind: "command", command } };
  }
  if (webhook === undefined) return refuse(`${given.name} does nothing; give it a command or a webhook`);
  if (secretFile === undefined)
    return refuse(`${given.name} needs a secretFile: receivers tell by its secret who calls`);
  return { ...about, action: { kind: "webhook", url: webhook, secretFile } };
});

/** What may be written of a hook. */
export const hookKeys: readonly string[] = Object.keys(fields);

/** What a list of hooks has to be; each message says what to give, or is a sentence of its own (code "custom"). */
export const hooksSchema = z
  .array(written, "a list of hooks")
  .max(mostHooks, `at most ${mostHooks} hooks`)
  .superRefine((hooks, context) => {
    for (const [index, hook] of hooks.entries()) {
      if (hooks.findIndex((each) => each.name === hook.name) === index) continue;
      context.addIssue({ code: "custom", path: [index, "name"], message: `another hook is called ${hook.name} too` });
    }
  });
