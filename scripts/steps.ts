import process from "node:process";

/** Receives a step's output, including line ends. */
export type Print = (text: string) => void;

/** One named piece of work of a script that a person watches. */
export interface Step {
  readonly title: string;
  readonly run: (print: Print) => Promise<void>;
}

/**
 * Runs steps one after the other, and those in a list of their own side by side. Says of each when it begins, what it
 * has to say, and how it ended; what runs side by side is said in the order of the list, but for a failure, which is
 * said at once.
 *
 * Steps side by side all run to their ends, whichever fails: a test that is killed leaves loop devices and mounts
 * behind. After that, a failure ends the run: what comes later mostly fails for the same reason.
 *
 * @returns the titles of the steps that failed
 */
export async function runSteps(
  script: string,
  steps: readonly (Step | readonly Step[])[],
  print: Print = (text) => process.stdout.write(text),
): Promise<readonly string[]> {
  for (const step of steps) {
    const failed = await runSideBySide(script, "run" in step ? [step] : step, print);
    if (failed.length === 0) continue;
    for (const title of failed) print(`${script}: FAILED: ${title}\n`);
    return failed;
  }
  return [];
}

async function runSideBySide(script: string, steps: readonly Step[], print: Print): Promise<readonly string[]> {
  /** What each has said before its turn. */
  const early = steps.map(() => "");
  const ended = steps.map(() => false);
  let turn = 0;
  const printOf = (index: number) => (text: string) => {
    if (index === turn) print(text);
    else early[index] += text;
  };
  const end = (index: number): void => {
    ended[index] = true;
    while (ended[turn] === true) {
      turn += 1;
      print(early[turn] ?? "");
    }
  };
  const failed: string[] = [];
  await Promise.all(
    steps.map(async ({ title, run }, index) => {
      const say = printOf(index);
      say(`${script}: ${title}\n`);
      const startedAt = performance.now();
      const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(1);
      try {
        await run(say);
        say(`${script}: ok: ${title} (${seconds()} s)\n`);
      } catch (error) {
        failed.push(title);
        print(early[index] ?? "");
        early[index] = "";
        print(
          `${error instanceof Error ? error.message : String(error)}\n${script}: FAILED: ${title} (${seconds()} s)\n`,
        );
      }
      end(index);
    }),
  );
  return failed;
}
