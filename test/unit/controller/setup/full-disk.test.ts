// A setup on a disk that is full at one write after the other, of bytes or of files; programs are noted, not run.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { type Machine, thisMachine } from "../../../../controller/setup/machine.ts";
import { execa } from "../../../../proto/linux/leashed-execa.ts";
import { requires } from "../../../requirements.ts";
import { apply, furnish, listing, undo } from "./on-files.ts";

describe("a setup on a full disk", requires("root"), () => {
  let scratch = "";
  before(async () => {
    scratch = await mkdtemp("/dev/shm/pallet-full-");
  });
  after(() => rm(scratch, { recursive: true }));

  /** What a limit is called (tmpfs(5)), what an empty disk takes of it, and how much a whole setup needs at the most. */
  const limits = [
    { limit: "size", of: (count: number) => `${count * 4}k`, first: 1, most: 80 },
    { limit: "nr_inodes", of: String, first: 11, most: 80 },
  ] as const;
  for (const { limit, of, first, most } of limits)
    it(`is refused at its note with nothing changed, or undone byte for byte, whatever the disk still takes (${limit})`, async () => {
      const root = path.join(scratch, limit);
      await mkdir(root);
      const outcomes: string[] = [];
      for (let count = first; outcomes.at(-1) !== "done"; count++) {
        assert.ok(count < most, outcomes.join(" "));
        await execa("mount", ["-t", "tmpfs", "-o", `${limit}=${of(count)}`, "tmpfs", root]);
        try {
          outcomes.push(await applyAndUndo(root, count));
        } finally {
          await execa("umount", [root]);
        }
      }
      for (const outcome of ["refused", "undone", "done"]) assert.ok(outcomes.includes(outcome), outcomes.join(" "));
      assert.ok(outcomes.filter((outcome) => outcome === "undone").length > 5, outcomes.join(" "));
    });

  async function applyAndUndo(root: string, count: number): Promise<"no disk" | "refused" | "undone" | "done"> {
    const machine: Machine = { ...thisMachine(root), run: async () => "" };
    try {
      await furnish(root);
    } catch {
      return "no disk";
    }
    const fresh = await listing(root);
    const failure = await apply(machine).then(
      () => undefined,
      (error: Error) => error.message,
    );
    const isNoted = (await machine.read("/var/lib/pallet/setup.json")).kind === "file";
    if (failure !== undefined) {
      assert.match(
        failure,
        /^cannot (write|make) \/\S+: its disk is full(, so nothing was changed)?$/,
        `with ${count}`,
      );
      assert.equal(failure.endsWith("nothing was changed"), !isNoted, failure);
    }
    await undo(machine);
    assert.deepEqual(await listing(root), fresh, `with ${count}`);
    return failure === undefined ? "done" : isNoted ? "undone" : "refused";
  }
});
