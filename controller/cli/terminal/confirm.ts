import { type CommandContext, UsageError } from "../connection/command-context.ts";

/** Whether there is someone to ask. The question goes to stderr, so stdout may be a pipe. */
export function canAsk({ effects }: CommandContext): boolean {
  return effects.stdin.isTerminal && effects.stderr.isTerminal;
}

/**
 * Refuses early a command that would have to ask where there is nobody to ask.
 *
 * @param what completes the sentence "this …", for example "erases disks"
 * @param advice what to do instead of asking
 */
export function requireConsent(context: CommandContext, yes: boolean | undefined, what: string, advice: string): void {
  if (yes !== true && !canAsk(context))
    throw new UsageError(
      `this ${what}, but there is nobody to confirm it (stdin or stderr is not a terminal): ${advice}`,
    );
}

/** Asks, and returns whether the person typed "yes" in full: a slip of the finger must not erase a rack. */
export async function confirm(context: CommandContext, question: string): Promise<boolean> {
  context.effects.stderr.write(question);
  const answer = await context.effects.stdin.readLine(context.signal);
  if (answer === undefined) context.effects.stderr.write("\n");
  return answer?.trim().toLowerCase() === "yes";
}
