/** Version of the controller: that of package.json, which is not at hand inside a bundle. */
export const version = "0.1.0";
