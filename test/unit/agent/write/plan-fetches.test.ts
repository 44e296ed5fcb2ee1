import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { countFetched, planFetches } from "../../../../agent/write/plan-fetches.ts";
import { planRuns } from "../../../../agent/write/plan-runs.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import {
  type ChunkKind,
  type PackManifest,
  parsePackManifest,
  renderPackManifest,
} from "../../../../proto/pack/pack-manifest.ts";

const kindOf: Record<string, ChunkKind> = { D: "data", Z: "zero", U: "unused" };

/** A manifest of chunks of these kinds; every frame is 100 bytes long, so that frame 3 starts at byte 300. */
function aManifest(kinds: string): PackManifest {
  const list = Array.from(kinds, (letter) => kindOf[letter] ?? "data");
  return parsePackManifest(
    renderPackManifest({
      imageBytes: list.length * 4096,
      imageDigest: "00".repeat(32) as ImageDigest,
      chunkBytes: 4096,
      kinds: list,
      frameBytes: list.map(() => 100),
      digests: Buffer.alloc(32 * list.filter((kind) => kind === "data").length),
    }),
  );
}

function plan(kinds: string, wanted: string, limits: { rangeBytes: number; gapBytes: number }) {
  const chunks = Uint8Array.from(wanted, (letter) => (letter === "#" ? 1 : 0));
  return planFetches(aManifest(kinds), planRuns(chunks, 4), limits);
}

describe("planFetches", () => {
  const table: {
    title: string;
    kinds: string;
    wanted: string;
    limits?: { rangeBytes?: number; gapBytes?: number };
    fetches: [fromByte: number, lengthBytes: number, runs: number][];
  }[] = [
    { title: "nothing for nothing", kinds: "DDDD", wanted: "....", fetches: [] },
    { title: "one request for neighbours", kinds: "DDDDDD", wanted: "######", fetches: [[0, 600, 2]] },
    { title: "no request for zeros", kinds: "ZZZZ", wanted: "####", fetches: [[0, 0, 1]] },
    { title: "no frames of zeros at the ends of a run", kinds: "ZDDZ", wanted: "####", fetches: [[100, 200, 1]] },
    { title: "frames of zeros between others", kinds: "DZZD", wanted: "####", fetches: [[0, 400, 1]] },
    { title: "a small gap too", kinds: "DDDDDD", wanted: "#.####", fetches: [[0, 600, 3]] },
    {
      title: "another request behind a large gap",
      kinds: "DUUUUUUD",
      wanted: "#......#",
      fetches: [
        [0, 100, 1],
        [700, 100, 1],
      ],
    },
    {
      title: "another request when the range would be too long",
      kinds: "DDDDDDDD",
      wanted: "########",
      limits: { rangeBytes: 400 },
      fetches: [
        [0, 400, 1],
        [400, 400, 1],
      ],
    },
    { title: "zeros with the request before them", kinds: "DDDDZZZZ", wanted: "########", fetches: [[0, 400, 2]] },
    { title: "zeros with the request behind them", kinds: "ZZZZDDDD", wanted: "########", fetches: [[400, 400, 2]] },
  ];
  for (const { title, kinds, wanted, limits, fetches } of table) {
    it(`fetches ${title}`, () => {
      const found = plan(kinds, wanted, { rangeBytes: 1_000, gapBytes: 200, ...limits });
      assert.deepEqual(
        found.map(({ fromByte, lengthBytes, runs }) => [fromByte, lengthBytes, runs.length]),
        fetches,
      );
    });
  }

  it("brings every wanted frame with data within its limits, each run once and in order", () => {
    const letter = fc.constantFrom("D", "Z", "U");
    fc.assert(
      fc.property(
        fc.array(fc.tuple(letter, fc.boolean()), { minLength: 1, maxLength: 120 }),
        fc.integer({ min: 400, max: 3_000 }),
        fc.nat(500),
        (chunks, rangeBytes, gapBytes) => {
          const manifest = aManifest(chunks.map(([kind]) => kind).join(""));
          const wanted = Uint8Array.from(chunks, ([kind, chosen]) => (chosen && kind !== "U" ? 1 : 0));
          const runs = planRuns(wanted, 4);
          const fetches = planFetches(manifest, runs, { rangeBytes, gapBytes });
          assert.deepEqual(
            fetches.flatMap((fetch) => fetch.runs),
            runs,
          );
          let needed = 0;
          for (const { fromByte, lengthBytes, runs: brought } of fetches) {
            assert.ok(lengthBytes <= rangeBytes);
            for (const { first, count } of brought) {
              for (let chunk = first; chunk < first + count; chunk += 1) {
                if (manifest.kindOf(chunk) !== "data") continue;
                needed += manifest.frameLengthOf(chunk);
                assert.ok(manifest.frameOffsetOf(chunk) >= fromByte);
                assert.ok(manifest.frameOffsetOf(chunk + 1) <= fromByte + lengthBytes);
              }
            }
          }
          assert.ok(countFetched(fetches) >= needed);
        },
      ),
    );
  });
});
