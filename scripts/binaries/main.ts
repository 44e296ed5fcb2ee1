// `npm run build:binaries`: the agent and the controller as programs that need no Node where they run, in dist/.
import { writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { assertRequirements } from "../../controller/requirements/assert-requirements.ts";
import { buildBinaries } from "./build-binaries.ts";
import { binariesRequirements } from "./requirements.ts";

await assertRequirements(binariesRequirements);
const repository = path.resolve(import.meta.dirname, "../..");
const outputDirectory = path.join(repository, "dist");
const binaries = await buildBinaries({
  repository,
  outputDirectory,
  cacheDirectory: checkoutCache("binaries"),
});
const sums = binaries.map(({ digest, file }) => `${digest}  ${path.basename(file)}\n`);
await writeFile(path.join(outputDirectory, "SHA256SUMS"), sums.join(""));
for (const { file, bytes, digest } of binaries) {
  const size = `${(bytes / 1e6).toFixed(1)} MB`;
  process.stdout.write(`${path.relative(process.cwd(), file).padEnd(32)} ${size.padStart(9)}  sha256 ${digest}\n`);
}
