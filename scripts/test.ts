// `npm test`: every test. The quick check first, then the tests that use real parts for minutes.
import process from "node:process";
import { checkSteps, slowTests } from "./check.ts";
import { runTests } from "./run-tests.ts";
import { runSteps } from "./steps.ts";

/** A machine that has other things to do takes three times as long. */
const timeoutMs = 3_600_000;

const failed = await runSteps("test", [
  checkSteps,
  {
    title: "real parts end to end, the rack of simulated Pis, the model of the world, slow units, hostile input",
    // In one queue, the longest first: the virtual Pis leave gaps when they wait for each other, which the other files
    // fill. One more at once than two cores carry, because many of these tests wait: for a watchdog, for time-outs, for
    // what is shut down, for boards.
    run: (print) =>
      runTests(
        [
          ...["test/e2e/virtual-pis.test.ts", ...slowTests],
          ...["test/e2e/virtual-*.test.ts", "test/fuzz/**/*.test.ts", "test/world/world.test.ts"],
          ...["test/e2e/*.test.ts", "test/rack/**/*.test.ts"],
        ],
        { concurrency: 3, timeoutMs },
        print,
      ),
  },
]);
process.exitCode = failed.length === 0 ? 0 : 1;
