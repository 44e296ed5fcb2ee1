import path from "node:path";
import { checkoutCache } from "../../../controller/artefacts/checkout-cache.ts";
import { targets } from "../../../controller/boot-tree/targets.ts";
import { buildBinaries } from "../../../scripts/binaries/build-binaries.ts";
import { checkout } from "../../programs/checkout.ts";
import { buildAsDocumented } from "../documented/build-as-documented.ts";

/** What a rack of virtual Pis is made of. */
export interface VirtualArtefacts {
  /** What /var/lib/pallet is on a management machine where everything was built as the documentation says. */
  readonly built: string;
  /** The cache that it was built with. */
  readonly cache: string;
  /** Path of U-Boot for QEMU's virt machine, which stands in for a Pi's own. */
  readonly uBoot: string;
}

/** Builds, by the documentation's commands, what is not in the cache yet: some minutes from nothing. */
export async function provideVirtualArtefacts(
  options: { readonly log?: (line: string) => void; readonly signal?: AbortSignal } = {},
): Promise<VirtualArtefacts> {
  const { log = () => {}, signal } = options;
  const cache = checkoutCache();
  const binaries = await buildBinaries({
    repository: checkout,
    outputDirectory: path.join(checkout, "dist"),
    cacheDirectory: path.join(cache, "binaries"),
  });
  const programs = binaries.map(({ digest }) => digest);
  const built = await buildAsDocumented({ programs, cacheDirectory: cache, log, signal });
  return { built, cache, uBoot: path.join(built, "boot", targets.qemu_arm64.treePath) };
}
