// The journal on disk outlives the controller that wrote it: test/golden/journal was captured from one of 28 November
// 2026 (70ed75e), before its code was laid out again. To rewrite it is to say that such journals are no longer read.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { noProgress, type Progress } from "../../../../proto/operation/progress.ts";
import { goldenFile } from "../../../golden.ts";
import { createFakeRack } from "./fakes/fake-rack.ts";
import { entryOf, type KeptRecord, tellJournalStories } from "./journal-story.ts";

const golden = "journal/stories.json";
const kept: Readonly<Record<string, readonly KeptRecord[]>> = JSON.parse(readFileSync(goldenFile(golden), "utf8"));

interface Reimage {
  readonly id: string;
  readonly nodeName: string;
  readonly untouched?: object;
  readonly phase: { readonly name: string };
}

/** The stories without what is for people to read: nothing depends on it. */
function withoutSentences(stories: unknown): unknown {
  const isSentence = (key: string): boolean => key === "message" || key === "obstacle";
  // How long is waited is not the journal's form: a restart gives every phase its time anew.
  const masked: Readonly<Record<string, string>> = { deadlineAt: "a time" };
  return JSON.parse(
    JSON.stringify(stories, (key, value: unknown) => (isSentence(key) ? "a sentence" : (masked[key] ?? value))),
  );
}

/** What later controllers remember besides: what the node was before, and what is known of its card. */
const laterKeys = new Set([
  ...["card", "growth", "before", "holds", "verdict", "late", "goingBack", "doubtful", "unsent"],
  // And how long it took, by a clock that nobody sets.
  ...["began", "tookMs"],
]);

/**
 * The agent of the captured stories counted neither stages nor what it compared or wrote again, and grew nothing: what
 * its controller began goes on without growth.
 */
function withoutLaterFields(key: string, value: unknown): unknown {
  if (laterKeys.has(key)) return undefined;
  if (key !== "progress") return value;
  const { stages, rewrittenBytes, compared, ...progress } = value as Progress;
  assert.deepEqual([stages, rewrittenBytes, compared], [[], 0, noProgress.compared]);
  return progress;
}

describe("the journal of an earlier controller", () => {
  it("is written in the same form today; only what it says to people may be put better", async () => {
    assert.deepEqual(
      withoutSentences(JSON.parse(JSON.stringify(await tellJournalStories(), withoutLaterFields))),
      withoutSentences(kept),
    );
  });

  for (const [title, records] of Object.entries(kept)) {
    const rollout = records.find(({ table }) => table === "rollouts")?.json as { readonly id: string };
    const reimages = records.filter(({ table }) => table === "reimages").map(({ json }) => json as Reimage);
    for (const [index, reimage] of reimages.entries())
      it(`is taken up by a node that was ${reimage.phase.name}: ${title}, record ${index}`, async () => {
        const rack = createFakeRack(2);
        for (const machine of rack.machines) machine.powerOn();
        await rack.clock.advanceSettling(25_000);
        const entry = entryOf(rollout, reimage);
        assert.ok(entry !== undefined);
        rack.journal.create(entry);
        rack.restart();
        await rack.untilEnded(entry.rollout.id);
        const ended = rack.rollouts().list()[0]?.reimages[0];
        assert.equal(ended?.nodeName, reimage.nodeName);
        assert.equal(ended.noResident, reimage.untouched !== undefined);
        assert.match(ended.phase, /^(proved|failed|cancelled)$/);
        assert.deepEqual(rack.errors, []);
      });
  }
});
