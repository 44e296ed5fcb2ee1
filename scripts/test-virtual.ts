// `npm run test:virtual`: reimages, killed controllers and pulled plugs on virtual Pis, which take ten minutes.
import { runTests } from "./run-tests.ts";

await runTests(["test/e2e/virtual/**/*.test.ts"], { concurrency: 1, timeoutMs: 1_800_000 });
