// An operator's way with a part of the rack: labels choose it, what was confirmed is what is done, what failed is tried
// again alone, and what runs the image stays.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { RolloutRequest } from "../../proto/gen/pallet/v1/controller.ts";
import { ask } from "../../proto/grpc/call.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import { assertHoldsImage } from "./card-content.ts";
import { createRack, type Rack } from "./rack.ts";
import { end, tell } from "./story.ts";

const MiB = 1024 * 1024;

describe("a part of the rack", requires("root", "loop devices"), () => {
  let rack: Rack;
  let image: TinyImage;
  const onRack = (title: string, body: () => Promise<void>) => it(title, { timeout: 480_000 }, () => tell(rack, body));
  const names = (json: string): string[] => JSON.parse(json).map(({ name }: { name: string }) => name);

  before(async () => {
    rack = await createRack({ nodes: 3, cardBytes: [64 * MiB, 64 * MiB, 64 * MiB] });
    image = await makeTinyImage({ folder: rack.folder, name: "image", bulkBytes: 2 * MiB });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
    for (const [index, name] of ["pi-10", "pi-2", "pi-3"].entries())
      await rack.palletOk("node", "rename", rack.board(index + 1).mac, name);
    await rack.palletOk("node", "accept", "pi-*");
  });
  after(() => rack.close());

  onRack("is labelled by a pattern, and listed by label and state as people count", async () => {
    await rack.palletOk("node", "label", "pi-2", "pi-10", "rack=a");
    const listed = await rack.palletOk("nodes", "-l", "rack=a", "--online", "--json");
    assert.deepEqual(names(listed), ["pi-2", "pi-10"]);
    assert.match(await rack.palletOk("node", "list", "pi-?", "--show-labels"), /^pi-2 .* rack=a .*\npi-3 /m);
    const unknown = await rack.pallet("reboot", "pj-*", "--yes");
    assert.equal(unknown.exitCode, 1);
    assert.match(unknown.stderr, /no node matches "pj-\*"; there are pi-2, pi-3, pi-10/);
  });

  onRack("is not erased when a card holds something else than what was confirmed", async () => {
    const { service } = rack.client;
    const nodes = ["pi-2", "pi-10"];
    const rollout = RolloutRequest.fromPartial({ nodes, imageName: "image" });
    const plan = await ask(service, service.planRollout, { rollout }, { timeoutMs: 60_000 });
    const seen = plan.plans.flatMap((each) => each.seen ?? []);
    assert.equal(seen.length, 2);
    const board = rack.board(1);
    await board.card.write(0, await readFile(image.path));
    await board.run("partx", ["--update", board.card.device]).catch(() => undefined);
    const request = { rolloutId: "stale", rollout: { ...rollout, imageDigest: plan.image?.digest ?? "", seen } };
    await assert.rejects(
      ask(service, service.startRollout, request, { timeoutMs: 60_000 }),
      /pi-10: .* holds something else than what was confirmed to be erased, so nothing was erased/,
    );
    await assertHoldsImage(board.card, image);
    assert.ok(!(await rack.client.rollouts()).some(({ rolloutId }) => rolloutId === "stale"));
  });

  onRack("is reimaged as it is seen again, and what runs the image already stays", async () => {
    await rack.palletOk("reimage", "-l", "rack=a", "--yes");
    const again = await rack.palletOk("reimage", "-l", "rack=a", "--only-changed", "--yes");
    assert.match(again, /^Left alone: 2 nodes, pi-2, pi-10: it has proved that it runs image$/m);
    const dryRun = await rack.palletOk("reimage", "--all", "--only-changed", "--dry-run", "--json");
    const { plans } = JSON.parse(dryRun);
    assert.deepEqual(
      plans.map((each: { nodeName: string; unchanged: string | null }) => [each.nodeName, each.unchanged !== null]),
      [
        ["pi-2", true],
        ["pi-3", false],
        ["pi-10", true],
      ],
    );
  });

  onRack("tries again alone what failed", async () => {
    const board = rack.board(3);
    await board.card.write(0, await readFile(image.path));
    await board.run("partx", ["--update", board.card.device]).catch(() => undefined);
    await board.run("mount", [`${board.card.device}p2`, "/mnt"]);
    const { service } = rack.client;
    const rollout = RolloutRequest.fromPartial({ nodes: ["pi-3"], imageName: "image" });
    await ask(service, service.startRollout, { rolloutId: "first", rollout }, { timeoutMs: 60_000 });
    await end(rack, "first");
    assert.deepEqual(names(await rack.palletOk("nodes", "--failed", "--json")), ["pi-3"]);
    await board.run("umount", ["/mnt"]);
    await rack.palletOk("rollout", "retry", "first", "--yes");
    const [retry] = await rack.client.rollouts();
    assert.deepEqual([retry?.retryOf, retry?.reimages.map(({ nodeName }) => nodeName)], ["first", ["pi-3"]]);
    await assertHoldsImage(board.card, image);
    const nothing = await rack.pallet("rollout", "retry", "first", "--yes");
    assert.equal(nothing.exitCode, 0);
    assert.match(nothing.stderr, /Nothing to do: every node runs image already\./);
    assert.deepEqual(names(await rack.palletOk("nodes", "--failed", "--json")), []);
  });
});
