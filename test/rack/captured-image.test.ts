// An image of one node's card, on another node.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { createRack, type Rack } from "./rack.ts";
import { tell } from "./story.ts";

describe("images capture", requires("root", "loop devices"), () => {
  let rack: Rack;
  before(async () => {
    // On the card of a Pi 3, Pallet renames the firmware: the image has its names again.
    rack = await createRack({ nodes: 2, model: "pi-3" });
    const { path } = await makeTinyImage({ folder: rack.folder, name: "plain", firmware: true });
    await rack.palletOk("images", "add", path, "--name", "plain");
    await rack.powerOnAll();
  });
  after(() => rack.close());

  it("gives what was set up on one node to another, which proves it as its own", { timeout: 300_000 }, () =>
    tell(rack, async () => {
      const [golden, next] = [rack.board(1), rack.board(2)];
      await rack.palletOk("reimage", golden.mac, "--image", "plain", "--yes");
      await golden.run("sh", ["-c", "echo set up by hand > /etc/golden; sync"]);
      const from = `${golden.mac}:${golden.card.device}`;
      const early = await rack.pallet("images", "capture", "golden", "--from", from);
      assert.equal(early.exitCode, 1);
      assert.match(early.stderr, /runs its own system.*boot it into the agent first/s);

      await rack.palletOk("boot", golden.mac, "agent");
      const mark = golden.console.mark();
      await rack.palletOk("reboot", golden.mac);
      await golden.console.waitFor(/"role":"netboot".*"msg":"registered"/, { from: mark });
      const said = await rack.palletOk("images", "capture", "golden", "--from", from, "--generalise");
      assert.match(said, /\/etc\/pallet \(Pallet's key, stamp and settings\)/);
      assert.match(said, /start\.off \(is start\.elf again\)/);

      await rack.palletOk("reimage", next.mac, "--image", "golden", "--yes");
      const nodes = await rack.client.nodes();
      assert.equal(nodes.find(({ nodeId }) => nodeId === next.mac)?.provedImageName, "golden");
      assert.equal(await next.run("cat", ["/etc/golden"]), "set up by hand");
      // The card that it was taken from is as it was.
      await rack.palletOk("boot", golden.mac, "local");
      const again = golden.console.mark();
      await rack.palletOk("reboot", golden.mac);
      await golden.console.waitFor(/"role":"resident".*"msg":"registered"/, { from: again });
    }),
  );
});
