import { planImagesAdd } from "../../controller/images/import/plan-requirements.ts";
import type { Requirements } from "../../controller/requirements/requirements.ts";

/** What `npm run demo` needs for its image and its rack of simulated Pis; scripts/setup installs it where it can. */
export const demoRequirements: Requirements = {
  command: "npm run demo",
  root: "it creates network namespaces and loop devices",
  needs: [
    ...(["mmdebstrap", "depmod", "xz", "apt-get", "sfdisk", "mkfs.vfat", "mke2fs", "mcopy"] as const),
    ...(["ip", "unshare", "nsenter", "mount", "umount"] as const),
    ...planImagesAdd({ formats: ["zstd"] }).needs,
  ],
};
