// Systems laid out as people lay them out, each through three power cycles on a virtual Pi. The plainest one is in
// test/long/virtual-systems.test.ts; `npm run test:long` runs these.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { bridgeMac, type Variant } from "../../scripts/systemd-image/build-system-image.ts";
import { nodeOf, powerCycle } from "../e2e/virtual/power-cycle.ts";
import { createSystemRack, type SystemRack } from "../e2e/virtual/system-rack.ts";
import { assertInstalled, assertProved, type Installed, reimageToEnd } from "../e2e/virtual/system-story.ts";
import { tell } from "../rack/story.ts";
import { requires } from "../requirements.ts";

const kinds: readonly { readonly variant: Variant; readonly title: string }[] = [
  { variant: "gpt", title: "a virtual Pi with Debian on a GPT" },
  { variant: "bridge", title: "a virtual Pi whose Ethernet port is in a bridge with another MAC address" },
  { variant: "plain", title: "a virtual Pi with Debian as Raspberry Pi OS lays it out" },
];

for (const { variant, title } of kinds)
  describe(title, requires("root", "qemu"), () => {
    let rack: SystemRack;
    before(async () => {
      rack = await createSystemRack(variant);
    });
    after(() => rack?.close());

    it(
      "is written, proved, and comes back from three power cycles, once before the controller",
      { timeout: 5_400_000 },
      () =>
        tell(rack, async () => {
          const { first, running } = rack;
          const { mark, rollout } = await reimageToEnd(rack, first);
          const installed: Installed = await assertProved(rack, first, rollout, mark);
          if (variant === "bridge") {
            const { facts } = await nodeOf(rack, first);
            const addressed = facts?.interfaces.filter(({ addresses }) => addresses.length > 0);
            assert.deepEqual(
              addressed?.map(({ name, mac }) => [name, mac]),
              [["br0", bridgeMac]],
              "the board is reached by its bridge",
            );
          }
          for (const controller of ["there", "away", "there"] as const)
            await powerCycle(rack, first, running, { controller });
          await assertInstalled(rack, first, installed);
        }),
    );
  });
