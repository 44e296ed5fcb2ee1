import path from "node:path";
import type { Plugin } from "esbuild";

/**
 * Packages of which a program uses little, and what is put into the bundle in their place: every node reads it at boot.
 * A name that is imported and not listed here ends the build.
 */
const replacements: Readonly<Record<string, string>> = {
  // Its main file loads a file for each subject: 600 kB for processes, printers, graphics cards.
  systeminformation: `
    export { cpu, cpuTemperature } from "systeminformation/lib/cpu.js";
    export { mem } from "systeminformation/lib/memory.js";
  `,
  // Worker threads for pino's transports: their files would have to be beside the program, and nothing uses them.
  "thread-stream": `
    export default class ThreadStream {
      constructor() {
        throw new Error("pino's transports need files that are not in this program");
      }
    }
  `,
};

/** An esbuild plugin that takes only the part that is used of packages that esbuild cannot cut by itself. */
export function slimPackages(modulesDirectory: string): Plugin {
  return {
    name: "slim-packages",
    setup(build) {
      const filter = new RegExp(`^(${Object.keys(replacements).join("|")})$`);
      build.onResolve({ filter }, ({ path: name }) => ({ path: name, namespace: "slim" }));
      build.onLoad({ filter, namespace: "slim" }, ({ path: name }) => ({
        contents: replacements[name] ?? "",
        resolveDir: path.dirname(modulesDirectory),
      }));
    },
  };
}
