// What a digest costs: one at a time in a process of its own, so that its CPU time is that of the process.
// Arguments: digest, bytes of a chunk, chunks. Prints CPU seconds for each GiB.
import { createHash, randomFillSync } from "node:crypto";
import process from "node:process";
import { blake3 } from "../../../proto/pack/blake3.ts";

const [name = "blake3", chunkBytes = "65536", count = "16384"] = process.argv.slice(2);
const chunk = randomFillSync(Buffer.allocUnsafeSlow(Number(chunkBytes)));
const digest = name === "blake3" ? blake3 : (bytes: Uint8Array) => createHash(name).update(bytes).digest();
for (let warm = 0; warm < 256; warm += 1) digest(chunk);
const before = process.cpuUsage();
for (let index = 0; index < Number(count); index += 1) digest(chunk);
const { user, system } = process.cpuUsage(before);
const gibibytes = (Number(chunkBytes) * Number(count)) / 1024 ** 3;
process.stdout.write(`${(user + system) / 1e6 / gibibytes}\n`);
