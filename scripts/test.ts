// `npm test`: every test. The quick check first, then the tests that use real parts for minutes.
import { checkSteps } from "./check.ts";
import { runTests } from "./run-tests.ts";
import { runSteps } from "./steps.ts";

// One file at a time: each of these loads both cores by itself.
const realParts = { concurrency: 1, timeoutMs: 2_400_000 };

await runSteps("test", [
  ...checkSteps,
  { title: "real parts end to end", run: () => runTests(["test/e2e/*.test.ts"], realParts) },
  { title: "the rack of simulated Pis", run: () => runTests(["test/rack/**/*.test.ts"], realParts) },
]);
