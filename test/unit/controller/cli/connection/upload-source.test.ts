import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFile, mkdtemp, rename, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { CommandContext } from "../../../../../controller/cli/connection/command-context.ts";
import { openUpload, uploadMessages } from "../../../../../controller/cli/connection/upload-source.ts";
import { Failure } from "../../../../../proto/failure.ts";

const sizeBytes = 4 * 2 ** 20;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "pallet-upload-"));
});
after(() => rm(folder, { recursive: true }));

let files = 0;
/** Sends a file of which something is done when the first bytes are on their way; resolves with how many were sent. */
async function send(change: (file: string) => Promise<void>): Promise<number> {
  const file = join(folder, `${files++}.img`);
  await writeFile(file, randomBytes(sizeBytes));
  // The kernel's time of a change goes by ticks.
  await delay(20);
  const source = await openUpload(file, undefined as unknown as CommandContext, { refuse: "" });
  let sentBytes = 0;
  try {
    for await (const { part } of uploadMessages({}, source, undefined)) {
      if (part.$case !== "chunk") continue;
      if (sentBytes === 0) await change(file);
      sentBytes += part.value.length;
    }
  } finally {
    await source.close();
  }
  return sentBytes;
}

describe("a file that is sent", () => {
  it("is sent whole while nobody changes it", async () => assert.equal(await send(async () => {}), sizeBytes));

  const changes: readonly (readonly [string, (file: string) => Promise<void>])[] = [
    [
      "gives its name to another one",
      async (file) => {
        await writeFile(`${file}.new`, "other");
        await rename(`${file}.new`, file);
      },
    ],
    ["grows", (file) => appendFile(file, "more")],
    ["is cut short", (file) => truncate(file, sizeBytes - 512)],
    ["gets other content", (file) => writeFile(file, randomBytes(sizeBytes), { flag: "r+" })],
    [
      "gets other content, and the time of the last change is set back",
      async (file) => {
        const { atime, mtime } = await stat(file);
        await writeFile(file, randomBytes(sizeBytes), { flag: "r+" });
        await utimes(file, atime, mtime);
      },
    ],
  ];
  for (const [title, change] of changes) {
    it(`is refused when it ${title} while it is read, before the controller gets its end`, async () => {
      await assert.rejects(send(change), (error) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.reason, "invalid");
        assert.match(error.message, /\.img was changed while it was being read, so nothing was made of it: wait/);
        return true;
      });
    });
  }
});
