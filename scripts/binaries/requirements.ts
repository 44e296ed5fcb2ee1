import type { Requirements } from "../../controller/requirements/requirements.ts";

/** What `npm run build:binaries` needs. */
export const binariesRequirements: Requirements = {
  command: "npm run build:binaries",
  needs: ["npm", "tar", "flock"],
};
