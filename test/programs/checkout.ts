import path from "node:path";

/** The checkout that controller and agents of a rack run from: this one. */
export const checkout: string = path.resolve(import.meta.dirname, "../..");
