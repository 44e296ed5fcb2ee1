// `npm test`: every test. The quick check first, then the tests that use real parts for minutes.
import process from "node:process";
import { checkSteps } from "./check.ts";
import { runTests } from "./run-tests.ts";
import { runSteps } from "./steps.ts";

/** A machine that has other things to do takes three times as long. */
const timeoutMs = 2_400_000;

const failed = await runSteps("test", [
  checkSteps,
  {
    title: "the model of the world",
    run: (print) => runTests(["test/world/world.test.ts"], { concurrency: 1, timeoutMs }, print),
  },
  {
    title: "real parts end to end",
    // The virtual Pis take longest and leave gaps, when they wait for each other, that the other files fill. One more
    // at once than two cores carry, because many of these tests wait: for a watchdog, for time-outs, for what is shut
    // down.
    run: (print) =>
      runTests(
        [
          ...["test/e2e/virtual-pis.test.ts", "test/e2e/virtual-systems.test.ts", "test/e2e/pi3.test.ts"],
          ...["test/e2e/virtual-*.test.ts", "test/e2e/*.test.ts"],
        ],
        { concurrency: 3, timeoutMs },
        print,
      ),
  },
  {
    title: "the rack of simulated Pis",
    run: (print) => runTests(["test/rack/**/*.test.ts"], { concurrency: 2, timeoutMs }, print),
  },
]);
process.exitCode = failed.length === 0 ? 0 : 1;
