// The whole journey on a Pi 3's own hardware, emulated: too slow for every day, since all goes over a USB network
// adapter that carries 0.2 MB/s. `npm run test:long` runs it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { checkoutCache } from "../../controller/artefacts/checkout-cache.ts";
import { RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { buildDemoImage, type DemoImage } from "../../scripts/demo-image/build-demo-image.ts";
import { assertRestarts } from "../e2e/virtual/assert-restarts.ts";
import { registration } from "../e2e/virtual/come-up.ts";
import { assertHoldsDemoImage } from "../e2e/virtual/demo-image-on-card.ts";
import { end, reimageOf, startReimage, tell } from "../rack/story.ts";
import { provideVirtualArtefacts } from "../rack/virtual/artefacts.ts";
import { createPi3Rack, type Pi3Rack } from "../rack/virtual/pi3-rack.ts";
import { requires } from "../requirements.ts";

/** A quarter of an hour on a machine that has nothing else to do. */
const timeoutMs = 5_400_000;

describe("an emulated Pi 3 with a blank card", requires("root", "qemu"), () => {
  let rack: Pi3Rack;
  let image: DemoImage;
  before(async () => {
    image = await buildDemoImage({ cacheDirectory: checkoutCache("demo-image"), name: "debian-demo", version: "1" });
    rack = await createPi3Rack({ artefacts: await provideVirtualArtefacts() });
  });
  after(() => rack?.close());

  it(
    "is reimaged under the default settings: written, restarted, up from its card, proved, and restarted from there",
    { timeout: timeoutMs },
    () =>
      tell(rack, async () => {
        const { pi3 } = rack;
        await rack.palletOk("images", "add", image.imagePath, "--name", "debian");
        await pi3.powerOn();
        await registration(rack, pi3);
        await rack.palletOk("node", "accept", pi3.mac);
        const rollout = await end(rack, await startReimage(rack, pi3.mac, "--image", "debian"), timeoutMs);
        const { attempts, failure, proof } = reimageOf(rollout, pi3);
        assert.equal(failure?.message, undefined);
        assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_SUCCEEDED);
        assert.equal(attempts, 1);
        assert.equal(proof?.imageDigest, image.digest);
        assert.equal(proof?.rootDevice, "/dev/mmcblk0p2");
        // What is in the installed system restarts a Pi too: so its next reimage needs no hand.
        const mark = pi3.console.mark();
        await rack.palletOk("reboot", pi3.mac);
        await assertRestarts(pi3, mark);
        await pi3.powerOff();
        await assertHoldsDemoImage(pi3.card.file, image, rack.folder);
      }),
  );
});
