// Imported into each process of tests, by an address that ends with ?FOLDER (run-tests.ts): tells in that folder, at its end,
// how much processor time it took.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { processorSeconds } from "./processor-seconds.ts";

const folder = decodeURIComponent(new URL(import.meta.url).search.slice(1));
const [, file = ""] = process.argv;
process.on("exit", () => {
  const seconds = processorSeconds(readFileSync("/proc/self/stat", "utf8"));
  writeFileSync(path.join(folder, String(process.pid)), `${seconds} ${path.resolve(file)}`);
});
