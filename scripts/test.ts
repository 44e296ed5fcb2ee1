// `npm test`: every test. The quick check first, then the tests that use real parts for minutes.
import { globSync } from "node:fs";
import process from "node:process";
import { checkSteps, slowTests } from "./check.ts";
import { runTests } from "./run-tests.ts";
import { runSteps } from "./steps.ts";

/** A machine that has other things to do takes three times as long. */
const timeoutMs = 3_600_000;

/** Emulated boards have no time of their own: what their kernels and agents wait for is late when they are too many. */
const virtualTests = [
  ...new Set(["test/e2e/virtual-pis.test.ts", ...globSync("test/e2e/virtual-*.test.ts").toSorted()]),
];

const failed = await runSteps("test", [
  checkSteps,
  [
    {
      title: "real parts end to end, the rack of simulated Pis, the model of the world, slow units, hostile input",
      // The longest first. As many at once as there are cores to carry beside the virtual Pis, because many of these tests
      // wait: for a watchdog, for time-outs, for what is shut down, for boards.
      run: (print) =>
        runTests(
          [
            ...slowTests,
            "test/fuzz/**/*.test.ts",
            "test/world/world.test.ts",
            "test/e2e/*.test.ts",
            "test/rack/**/*.test.ts",
          ],
          { concurrency: 2, timeoutMs, without: virtualTests },
          print,
        ),
    },
    {
      title: "virtual Pis, one rack at a time",
      run: (print) => runTests(virtualTests, { concurrency: 1, timeoutMs }, print),
    },
  ],
]);
process.exitCode = failed.length === 0 ? 0 : 1;
