import { createHash } from "node:crypto";
import { realpath, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { cacheEntry } from "../../../../controller/artefacts/cache-entry.ts";
import { execa } from "../../../../proto/linux/leashed-execa.ts";
import { checkout } from "../../../../test/programs/checkout.ts";
import { measured } from "../../stage/measured.ts";
import { runProgram } from "../../stage/started-program.ts";
import type { Contender } from "../contender.ts";

const dependencies = {
  dependencies: { "etcher-sdk": "10.2.15" },
  // etcher-sdk takes this one from a Git host, which not every machine reaches; the registry has it too.
  overrides: { "unbzip2-stream": "1.4.3" },
};
/** Parts of etcher-sdk that come as C++; the others bring their binaries. */
const compiled = ["@ronomon/direct-io", "xxhash-addon", "drivelist", "mountutils"];

/** balenaEtcher's engine, installed into a folder of its own in the cache; needs a C++ compiler. */
export const etcher: Contender = {
  id: "etcher",
  title: "etcher-sdk with verify (.gz)",
  verifies: true,
  before: "another system",
  after: "the image",
  absence: ({ cache }) =>
    provideEtcher(cache).then(
      () => undefined,
      (error: Error) => `etcher-sdk cannot be installed: ${error.message.split("\n")[0]}`,
    ),
  async run(stage) {
    const folder = await provideEtcher(stage.cache);
    const program = path.join(import.meta.dirname, "write-by-etcher.cjs");
    const command = [process.execPath, program, folder, `${stage.files.base}/${stage.formName}.gz`, stage.card.device];
    const figures = await measured(stage, stage.filesGroup, async (place) => {
      await runProgram("etcher-sdk", place, [...command, String(stage.card.sizeBytes)]);
    });
    return { figures };
  },
};

function provideEtcher(cache: string): Promise<string> {
  const key = createHash("sha256")
    .update(JSON.stringify([dependencies, process.version]))
    .digest("hex")
    .slice(0, 16);
  return cacheEntry(cache, `etcher-sdk-${key}`, async (folder) => {
    await writeFile(
      path.join(folder, "package.json"),
      JSON.stringify({ name: "bench-etcher", private: true, ...dependencies }),
    );
    await execa("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: folder, timeout: 300_000 });
    // The headers of the very Node that runs this come with its npm package.
    const headers = path.join(checkout, "node_modules", `node-linux-${process.arch}`);
    const gyp = await findNodeGyp();
    for (const name of compiled)
      await execa(process.execPath, [gyp, "rebuild", `--nodedir=${headers}`], {
        cwd: path.join(folder, "node_modules", name),
        timeout: 300_000,
      });
  });
}

/** node-gyp is a part of npm; the Node that runs this came without one. */
async function findNodeGyp(): Promise<string> {
  const { stdout } = await execa("sh", ["-c", "command -v npm"]);
  return path.join(path.dirname(await realpath(stdout.trim())), "../node_modules/node-gyp/bin/node-gyp.js");
}
