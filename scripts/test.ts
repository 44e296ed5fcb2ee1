// `npm test`: every test. The quick check first, then the tests that use real parts for minutes.
import { checkSteps } from "./check.ts";
import { runTests } from "./run-tests.ts";
import { runSteps } from "./steps.ts";

await runSteps("test", [
  ...checkSteps,
  // One file at a time: each of these loads both cores by itself.
  { title: "real parts end to end", run: () => runTests(["test/e2e/**/*.test.ts"], 1) },
  { title: "the rack of simulated Pis", run: () => runTests(["test/rack/**/*.test.ts"], 1) },
]);
