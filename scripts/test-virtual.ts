// `npm run test:virtual`: of `npm test`, only the story of two virtual Pis.
import { runTests } from "./run-tests.ts";

await runTests(["test/e2e/virtual-pis.test.ts"], { concurrency: 1, timeoutMs: 2_400_000 });
