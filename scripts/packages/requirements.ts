import type { Requirements } from "../../controller/requirements/requirements.ts";
import { binariesRequirements } from "../binaries/requirements.ts";

/** What `npm run build:packages` needs; to build what boards boot, more, if it is not in the cache. */
export const packagesRequirements: Requirements = {
  command: "npm run build:packages",
  needs: [...binariesRequirements.needs, "dpkg-deb", "git"],
};
