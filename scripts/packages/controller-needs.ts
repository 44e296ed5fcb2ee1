import { planImagesCapture } from "../../controller/images/capture/plan-requirements.ts";
import { planImagesDerive } from "../../controller/images/derive/plan-requirements.ts";
import { planImagesAdd } from "../../controller/images/import/plan-requirements.ts";
import { planServe } from "../../controller/network/plan-requirements.ts";
import { rootfsUnpackRequirements } from "../../controller/rootfs/plan-requirements.ts";
import { setupRequirements } from "../../controller/setup/gather-setup-facts.ts";
import { debianPackages, type Need } from "../../proto/linux/debian-package.ts";

/** Packages that every Debian has (Essential: yes): nothing may depend on them by name (Debian policy 3.5). */
const essential: readonly string[] = ["coreutils", "dpkg", "perl-base", "tar", "util-linux"];

/** What the maintainer scripts run. */
const scriptPackages: readonly string[] = ["systemd"];

/** What the program itself is linked to: Node's own requirement (BUILDING.md), and what readelf says of its binary. */
const libraries: readonly string[] = ["libc6 (>= 2.28)", "libgcc-s1", "libstdc++6 (>= 8)"];

/** Fields of deb-control(5). */
export interface Relations {
  readonly depends: readonly string[];
  readonly recommends: readonly string[];
  readonly suggests: readonly string[];
}

/**
 * What the controller's package asks for, by what the controller says itself that it needs:
 *
 * - Depends: what leads from here to a node that is proved: a setup, the configuration that it writes, images of every format.
 * - Recommends: what a typical operator comes to, but a rack runs without: images derived and captured; what nodes boot.
 * - Suggests: what another configuration needs in its place.
 */
export function planControllerRelations(): Relations {
  const depends = packagesOf([
    ...setupRequirements.needs,
    ...planImagesAdd({ formats: ["xz", "zstd"] }).needs,
    ...rootfsUnpackRequirements.needs,
  ]);
  const later = packagesOf([...planImagesDerive({ formats: ["xz"] }).needs, ...planImagesCapture().needs]);
  const other = packagesOf(planServe({ dhcp: { mode: "server" }, nfs: { mode: "kernel" } }).needs);
  const asked = [...new Set([...depends, ...scriptPackages])].toSorted();
  const recommends = ["pallet-rack", ...later.filter((name) => !asked.includes(name))];
  return {
    depends: [...libraries, ...asked],
    recommends,
    suggests: other.filter((name) => !asked.includes(name) && !recommends.includes(name)),
  };
}

function packagesOf(needs: readonly Need[]): readonly string[] {
  return debianPackages(needs).filter((name) => !essential.includes(name));
}
