import { Failure } from "../../proto/failure.ts";

/** Shorter lines of a secret are not told from other words. */
const shortest = 4;

/** A text without these secrets, nor lines of them. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  const parts = secrets.flatMap((secret) => [secret, ...secret.split(/\r?\n/).map((line) => line.trim())]);
  // The longest first: a part of one may be another.
  const hidden = [...new Set(parts)].filter(({ length }) => length >= shortest).sort((a, b) => b.length - a.length);
  return hidden.reduce((shown, part) => shown.replaceAll(part, "(secret)"), text);
}

/** A failure whose words have none of these secrets. Its cause is dropped where that has some. */
export function withoutSecrets(failure: Failure, secrets: readonly string[]): Failure {
  const { reason, message, evidence } = failure;
  const shown = {
    message: hideSecrets(message, secrets),
    ...(evidence.expected !== undefined && { expected: hideSecrets(evidence.expected, secrets) }),
    ...(evidence.found !== undefined && { found: hideSecrets(evidence.found, secrets) }),
  };
  const { message: words, ...rest } = shown;
  const isSame = words === message && rest.found === evidence.found && rest.expected === evidence.expected;
  return isSame ? failure : new Failure(reason, words, { ...evidence, ...rest });
}
