// `npm run build:packages`: the Debian packages of this commit, in dist/packages. See main.help.
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { defaultMirror } from "../../controller/artefacts/debian-defaults.ts";
import { archiveNeeds } from "../../controller/requirements/archive-needs.ts";
import { assertRequirements } from "../../controller/requirements/assert-requirements.ts";
import { buildPackages } from "./build-packages.ts";
import { debianArchitectures } from "./debian-package.ts";
import { packagesRequirements } from "./requirements.ts";

function refuse(message: string): never {
  process.stderr.write(`build:packages: ${message}\n`);
  process.exit(2);
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        out: { type: "string" },
        architecture: { type: "string", multiple: true },
        "with-dependencies": { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

const options = readOptions();
const architectures = options.architecture?.map(
  (given) =>
    debianArchitectures.find((each) => each === given) ??
    refuse(`--architecture ${given}: there are ${debianArchitectures.join(" and ")}`),
);
const withDependencies = options["with-dependencies"] ? architectures?.[0] : undefined;
if (options["with-dependencies"] && architectures?.length !== 1)
  refuse("--with-dependencies fills a folder for one machine: name its --architecture");
await assertRequirements({
  ...packagesRequirements,
  needs: [...packagesRequirements.needs, ...(withDependencies === undefined ? [] : archiveNeeds(defaultMirror))],
});
// What is in a package does not depend on who builds it.
process.umask(0o022);
const repository = path.resolve(import.meta.dirname, "../..");
const built = await buildPackages({
  repository,
  outDirectory: options.out ?? path.join(repository, "dist/packages"),
  cacheDirectory: checkoutCache(),
  ...(architectures !== undefined && { architectures }),
  ...(withDependencies !== undefined && { withDependencies }),
  log: (line) => process.stderr.write(`build:packages: ${line}\n`),
});
for (const file of built) process.stdout.write(`${path.relative(process.cwd(), file)}\n`);
