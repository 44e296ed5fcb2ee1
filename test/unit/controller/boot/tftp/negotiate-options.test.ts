import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultLimits, resolveLimits } from "../../../../../controller/boot/tftp/limits.ts";
import { negotiateOptions } from "../../../../../controller/boot/tftp/negotiate-options.ts";
import type { Option } from "../../../../../controller/boot/tftp/packet.ts";

const size = 60_000_000;

describe("TFTP option negotiation", () => {
  const cases: readonly {
    title: string;
    asked: readonly Option[];
    granted: readonly Option[];
    block?: number;
    window?: number;
    timeoutMs?: number;
  }[] = [
    { title: "grants nothing that was not asked", asked: [], granted: [] },
    {
      title: "grants U-Boot what it asks, in its order",
      asked: [["timeout", "5"], ["tsize", "0"], ["blksize", "1468"], ["windowsize", "8"]], // biome-ignore format: one line
      granted: [["timeout", "5"], ["tsize", "60000000"], ["blksize", "1468"], ["windowsize", "8"]], // biome-ignore format: one line
      block: 1468,
      window: 8,
      timeoutMs: 5000,
    },
    {
      title: "lowers a block to what fits a frame",
      asked: [["blksize", "65464"]],
      granted: [["blksize", "1468"]],
      block: 1468,
    },
    { title: "grants the smallest block", asked: [["blksize", "8"]], granted: [["blksize", "8"]], block: 8 },
    { title: "ignores a block that is too small", asked: [["blksize", "7"]], granted: [] },
    { title: "ignores a block that is too large", asked: [["blksize", "65465"]], granted: [] },
    { title: "lowers a window", asked: [["windowsize", "65535"]], granted: [["windowsize", "64"]], window: 64 },
    { title: "ignores a window of nothing", asked: [["windowsize", "0"]], granted: [] },
    { title: "ignores a window of too much", asked: [["windowsize", "65536"]], granted: [] },
    {
      title: "grants the longest timeout",
      asked: [["timeout", "255"]],
      granted: [["timeout", "255"]],
      timeoutMs: 255_000,
    },
    { title: "ignores a timeout of nothing", asked: [["timeout", "0"]], granted: [] },
    { title: "ignores a timeout that is too long", asked: [["timeout", "256"]], granted: [] },
    { title: "ignores what is no number", asked: [["blksize", "1e3"], ["windowsize", "-1"], ["timeout", ""]], granted: [] }, // biome-ignore format: one line
    { title: "ignores what it does not know", asked: [["multicast", ""], ["rollover", "1"]], granted: [] }, // biome-ignore format: one line
    {
      title: "takes the first of two contradicting values",
      asked: [["blksize", "1024"], ["blksize", "8"]], // biome-ignore format: one line
      granted: [["blksize", "1024"]],
      block: 1024,
    },
  ];
  for (const { title, asked, granted, block = 512, window = 1, timeoutMs } of cases)
    it(title, () => {
      const { parameters, acknowledged } = negotiateOptions(asked, size, defaultLimits);
      assert.deepEqual(acknowledged, granted);
      assert.deepEqual(parameters, {
        blockSize: block,
        windowSize: window,
        ...(timeoutMs !== undefined && { timeoutMs }),
      });
    });

  it("does not tell the size of an empty file, which curl takes for an error", () => {
    assert.deepEqual(negotiateOptions([["tsize", "0"]], 0, defaultLimits).acknowledged, []);
  });

  it("knows no limits that cannot work", () => {
    assert.equal(resolveLimits({ maxBlockSize: 8192 }).maxBlockSize, 8192);
    assert.throws(() => resolveLimits({ maxBlockSize: 4 }), /maxBlockSize is 4/);
    assert.throws(() => resolveLimits({ maxSilences: 1.5 }), /maxSilences is 1.5/);
  });
});
