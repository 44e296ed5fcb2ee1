import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { ended, firstLine, spawnLeashed } from "../../../programs/leashed-process.ts";

const run = promisify(execFile);
const destination = path.resolve(import.meta.dirname, "../../../../proto/linux/log-destination.ts");

/** A program that logs this many lines to its standard error, says so, logs one more each time it is asked, and ends. */
const program = `
  import { createLogDestination } from ${JSON.stringify(destination)};
  import { createInterface } from "node:readline";
  const log = createLogDestination(2, () => 0);
  const line = (number) => log.write(JSON.stringify({ number, text: "x".repeat(1000) }) + "\\n");
  let number = 0;
  for (; number < 1000; number++) line(number);
  console.log("logged");
  setTimeout(() => { line(number); process.exit(0); }, Number(process.env.WAIT_MS));
`;

function start(target: string, waitMs: number) {
  const node = [process.execPath, "--input-type=module", "-e", program];
  return spawnLeashed("sh", ["-c", `exec "$@" 2>>${target}`, "sh", ...node], {
    ...process.env,
    WAIT_MS: String(waitMs),
  });
}

describe("a log destination", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-log-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("keeps what a slow reader has room for, and counts exactly what is lost", { timeout: 60_000 }, async () => {
    const file = path.join(folder, "pipe");
    await run("mkfifo", [file]);
    const reader = await open(file, constants.O_RDWR | constants.O_NONBLOCK);
    const child = start(file, 1500);
    const gone = ended(child);
    await firstLine(child);
    let text = "";
    const drain = async (): Promise<void> => {
      const buffer = Buffer.alloc(65_536);
      for (;;) {
        const { bytesRead } = await reader.read(buffer).catch(() => ({ bytesRead: 0 }));
        if (bytesRead === 0) return;
        text += buffer.toString("utf8", 0, bytesRead);
      }
    };
    let isOver = false;
    const over = gone.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      await drain();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal((await over).code, 0);
    await drain();
    await reader.close();
    const lines = text.trim().split("\n");
    const said = lines.map((line) => JSON.parse(line) as { number?: number; lost?: number });
    const kept = said.filter(({ number }) => number !== undefined).length;
    const lost = said.reduce((sum, each) => sum + (each.lost ?? 0), 0);
    assert.ok(lost > 0, "nothing was lost");
    assert.equal(kept + lost, 1001);
    assert.ok(kept >= 64 + 256 - 2, `only ${kept} were kept`);
    assert.equal(said.at(-1)?.number, 1000);
  });
});
