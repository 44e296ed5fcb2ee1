import { parseArgs } from "node:util";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { buildDemoImage } from "./build-demo-image.ts";

// node scripts/demo-image/main.ts --name debian-demo [--version 2] [--cache FOLDER]: builds one and prints where it is.
const { values } = parseArgs({
  options: {
    name: { type: "string", default: "debian-demo" },
    version: { type: "string", default: "1" },
    cache: { type: "string", default: checkoutCache("demo-image") },
  },
});
const image = await buildDemoImage({
  cacheDirectory: values.cache,
  name: values.name,
  version: values.version,
  log: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(image, null, 2)}\n`);
