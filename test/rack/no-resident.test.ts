// Images that are left as they are: the node proves nothing by itself, and is not taken back by itself.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { ProofKind, ReimagePhase } from "../../proto/gen/pallet/v1/rollout.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import { until } from "../until.ts";
import { createRack, type Rack } from "./rack.ts";
import { end, reimageOf, startReimage, tell } from "./story.ts";

describe("reimage --no-resident", requires("root", "loop devices"), () => {
  let rack: Rack;
  let image: TinyImage;
  before(async () => {
    // On the card of a Pi 3, config.txt would be renamed (card-firmware.test.ts).
    rack = await createRack({ nodes: 1, model: "pi-4" });
    image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
  });
  after(() => rack.close());

  it("leaves the image untouched to the byte, and is proved weakly, which everything says", { timeout: 360_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(1);
      board.failNextReboot();
      const watched = rack.palletOk("reimage", "--all", "--no-resident", "--yes");
      // Without power after its write: nothing has mounted the new system yet.
      await board.console.waitFor(/the power supply fails/);
      const content = await readFile(image.path);
      const written = await board.card.read(0, content.length);
      assert.ok(written.equals(content), "the card holds other bytes than the image");
      await board.powerOn();
      const output = await watched;
      assert.match(output, /proved \(weak: it fetched the image's kernel, and TCP port 22 of .* refuses connections\)/);
      assert.match(output, /Only weakly proved, because of --no-resident: /);
      await board.console.waitFor(/nothing in this system starts an agent/);

      const [rollout] = await rack.client.rollouts();
      assert.ok(rollout !== undefined);
      const { phase, noResident, proof } = reimageOf(rollout, board);
      assert.deepEqual([phase, noResident], [ReimagePhase.REIMAGE_PHASE_PROVED, true]);
      assert.equal(proof?.kind, ProofKind.PROOF_KIND_WEAK);
      assert.equal(proof?.kernelPath, `images/${rollout.imageDigest}/vmlinuz-6.1.0-tiny`);
      assert.deepEqual([proof?.bootId, proof?.rootDevice], ["", ""]);
      // No silence is told of: a node that asks for its boot files is not expected to be heard from.
      await until(
        async () => (await rack.client.nodes())[0]?.online === false,
        () => "the node still counts as online",
        { withinMs: 60_000 },
      );
      const [node] = await rack.client.nodes();
      assert.deepEqual([node?.provedImageName, node?.provedWeakly, node?.online], ["image", true, false]);
      assert.match(await rack.palletOk("nodes"), /image \(weak\)/);
    }),
  );

  it("waits for somebody who reboots the node at its next reimage, and says so", { timeout: 360_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(1);
      const plan = await rack.palletOk("reimage", "--all", "--dry-run");
      assert.match(plan, /without a resident agent: reboot\s+or\s+power-cycle\s+it\s+by\s+hand/);

      const id = await startReimage(rack, "--all");
      await rack.client.event(
        ({ rolloutId, message }) => rolloutId === id && message.includes("reboot or power-cycle it by hand"),
      );
      await board.powerOff();
      await board.powerOn();
      const rollout = await end(rack, id);
      assert.equal(reimageOf(rollout, board).proof?.kind, ProofKind.PROOF_KIND_RESIDENT);
      const [node] = await rack.client.nodes();
      assert.equal(node?.provedWeakly, false);
    }),
  );
});
