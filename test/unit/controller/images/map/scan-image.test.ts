import assert from "node:assert/strict";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { findVeritySuperblocks } from "../../../../../controller/images/map/scan-image.ts";
import { aVeritySuperblock } from "./a-verity-superblock.ts";

const imageBytes = 1024 * 1024;

async function superblocksIn(content: Buffer): Promise<readonly number[]> {
  const folder = await mkdtemp(join(tmpdir(), "pallet-scan-"));
  const file = await open(join(folder, "image"), "wx+");
  try {
    await file.truncate(imageBytes);
    await file.write(content, 0, content.length, 4096);
    return (await findVeritySuperblocks({ file }, imageBytes)).map(({ offsetBytes }) => offsetBytes);
  } finally {
    await file.close();
    await rm(folder, { recursive: true });
  }
}

describe("findVeritySuperblocks", () => {
  it("finds one in the middle of an image", async () => {
    assert.deepEqual(await superblocksIn(aVeritySuperblock(8192)), [4096]);
  });

  it("does not take the strings in systemd's libraries for one", async () => {
    const text =
      "verity\0\0usr-arc-verity-sig\0\0\0\0\0\0root-arm\0\0\0\0\0\0\0\0root-arm-verity\0root-arm-verity-sig\0";
    assert.deepEqual(await superblocksIn(Buffer.from(text, "latin1")), []);
  });
});
