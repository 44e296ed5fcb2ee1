/** The agent's version: that of package.json, which is not available inside a bundle. */
export const version = "0.1.0";
