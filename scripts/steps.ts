import process from "node:process";

/** One named piece of work of a script that a person watches. */
export interface Step {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/**
 * Runs the steps one after the other, says which and how long each took, and ends the process with exit code 1 at the
 * first that fails: what comes later mostly fails for the same reason.
 */
export async function runSteps(script: string, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    process.stdout.write(`${script}: ${step.title}\n`);
    const startedAt = performance.now();
    try {
      await step.run();
    } catch (error) {
      process.stdout.write(
        `${error instanceof Error ? error.message : String(error)}\n${script}: FAILED: ${step.title}\n`,
      );
      process.exit(1);
    }
    process.stdout.write(`${script}: ok: ${step.title} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)\n`);
  }
}
