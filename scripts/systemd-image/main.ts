import { parseArgs } from "node:util";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { buildSystemImage, type Variant, variants } from "./build-system-image.ts";

// node scripts/systemd-image/main.ts [--variant plain|gpt|bridge|settled] [--cache FOLDER]: builds one and prints where it is.
const { values } = parseArgs({
  options: {
    variant: { type: "string", default: "plain" },
    cache: { type: "string", default: checkoutCache("system-image") },
  },
});
if (!(values.variant in variants)) throw new Error(`--variant is one of ${Object.keys(variants).join(", ")}`);
const image = await buildSystemImage({
  cacheDirectory: values.cache,
  variant: values.variant as Variant,
  log: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(image, null, 2)}\n`);
