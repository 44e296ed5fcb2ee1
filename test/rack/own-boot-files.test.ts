// Who loads the kernel of an installed system: the board's firmware with the image's own config.txt, device trees and
// overlays, or U-Boot.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BootTarget } from "../../proto/gen/pallet/v1/controller.ts";
import { ProofKind, ReimagePhase } from "../../proto/gen/pallet/v1/rollout.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import type { Board } from "./board.ts";
import type { PiModelName } from "./machine/pi-model.ts";
import { createRack, type Rack } from "./rack.ts";
import { end, reimageOf, startReimage, tell } from "./story.ts";

/** What a board's firmware has to say that it starts of the image: kernel, device tree, overlays, parameters, console. */
interface Started {
  readonly bits: 32 | 64;
  readonly deviceTree: string;
  readonly overlays: string;
  readonly parameters: string;
  readonly console: string;
}

async function assertStarts(board: Board, from: number, started: Started): Promise<void> {
  const { bits, deviceTree, overlays, parameters, console } = started;
  const words =
    `starting ${bits}-bit kernel ${board.serial}/pallet/[0-9a-f]{12}/kernel, device tree ${deviceTree}, ` +
    `overlays: ${overlays}, parameters: ${parameters}, initrds: 1`;
  const line = `${words}[\\s\\S]*Kernel command line: .*console=${console},115200 console=tty1 .*`;
  await board.console.waitFor(new RegExp(`${line}[\\s\\S]*Mounted root \\(ext4`), { from, timeoutMs: 60_000 });
}

const wide: Readonly<Record<PiModelName, Started>> = {
  "pi-3": {
    bits: 64,
    deviceTree: "bcm2710-rpi-3-b.dtb",
    overlays: "vc4-kms-v3d",
    parameters: "audio=on i2c_arm=on",
    console: "ttyS0",
  },
  "pi-4": {
    bits: 64,
    deviceTree: "bcm2711-rpi-4-b.dtb",
    overlays: "vc4-kms-v3d rpi-poe",
    parameters: "audio=on i2c_arm=on",
    console: "ttyS0",
  },
  "pi-5": {
    bits: 64,
    deviceTree: "bcm2712-rpi-5-b.dtb",
    overlays: "vc4-kms-v3d",
    parameters: "audio=on i2c_arm=on pciex1",
    console: "ttyAMA10",
  },
};

for (const model of ["pi-3", "pi-4", "pi-5"] as const)
  describe(`a ${model} and an image of Raspberry Pi's own kernel`, requires("root", "loop devices"), () => {
    let rack: Rack;
    before(async () => {
      rack = await createRack({ nodes: 1, model, settings: { reimage: { proveTimeoutMs: 30_000 } } });
      const image = await makeTinyImage({ folder: rack.folder, name: "raspios", raspberryPi: 64 });
      await rack.palletOk("images", "add", image.path, "--name", "raspios");
      await rack.powerOnAll();
    });
    after(() => rack.close());

    it("is proved by the firmware's boot of it, and comes back the same way", { timeout: 480_000 }, () =>
      tell(rack, async () => {
        const board = rack.board(1);
        let mark = board.console.mark();
        const { proof } = reimageOf(await end(rack, await startReimage(rack, "--all", "--image", "raspios")), board);
        assert.equal(proof?.kind, ProofKind.PROOF_KIND_RESIDENT);
        await assertStarts(board, mark, wide[model]);
        await rack.client.event(({ message }) => message.endsWith("it boots local, by the image's own config.txt"));
        await board.powerOff();
        mark = board.console.mark();
        await board.powerOn();
        await assertStarts(board, mark, wide[model]);
        const events = await rack.palletOk("events", "--limit", "0");
        assert.doesNotMatch(events, /not in the boot tree/);
      }),
    );

    it("goes back to the agent when it is told, and to the image again", { timeout: 480_000 }, () =>
      tell(rack, async () => {
        const board = rack.board(1);
        let mark = board.console.mark();
        await rack.palletOk("boot", board.mac, "agent");
        await rack.palletOk("reboot", board.mac);
        const agent = model === "pi-5" ? "starting 64-bit kernel" : "starting u-boot.bin";
        await board.console.waitFor(new RegExp(`firmware: ${agent}[\\s\\S]*"role":"netboot"`), { from: mark });
        mark = board.console.mark();
        await end(rack, await startReimage(rack, "--all", "--image", "raspios"));
        await assertStarts(board, mark, wide[model]);
      }),
    );

    if (model === "pi-3")
      it("goes back to the agent after a failure", { timeout: 480_000 }, () =>
        tell(rack, async () => {
          const board = rack.board(1);
          const id = await startReimage(rack, "--all", "--image", "raspios", "--full");
          await rack.client.rollout(
            id,
            (rollout) => reimageOf(rollout, board).phase >= ReimagePhase.REIMAGE_PHASE_WRITING,
          );
          board.failNextReboot();
          const { failure } = reimageOf(await end(rack, id, 120_000), board);
          assert.ok(failure !== undefined);
          const [node] = await rack.client.nodes();
          assert.equal(node?.bootTarget, BootTarget.BOOT_TARGET_AGENT);
          const mark = board.console.mark();
          await board.powerOn();
          await board.console.waitFor(/"role":"netboot"/, { from: mark, timeoutMs: 60_000 });
        }),
      );
  });

describe("a Pi 3 and images with other kernels", requires("root", "loop devices"), () => {
  let rack: Rack;
  before(async () => {
    rack = await createRack({ nodes: 2 });
    const narrow = await makeTinyImage({ folder: rack.folder, name: "narrow", raspberryPi: 32 });
    const upstream = await makeTinyImage({ folder: rack.folder, name: "upstream" });
    await rack.palletOk("images", "add", narrow.path, "--name", "narrow");
    await rack.palletOk("images", "add", upstream.path, "--name", "upstream");
    await rack.powerOnAll();
  });
  after(() => rack.close());

  it("boots an upstream kernel by U-Boot", { timeout: 360_000 }, () =>
    tell(rack, async () => {
      const marks = rack.boards.map(({ console }) => console.mark());
      await end(rack, await startReimage(rack, "--all", "--image", "upstream"));
      for (const [index, { console }] of rack.boards.entries())
        await console.waitFor(/starting u-boot\.bin[\s\S]*booting label local[\s\S]*Mounted root \(ext4/, {
          from: marks[index] ?? 0,
        });
    }),
  );

  it("boots a 32-bit kernel by its firmware, and is proved weakly", { timeout: 480_000 }, () =>
    tell(rack, async () => {
      const marks = rack.boards.map(({ console }) => console.mark());
      const rollout = await end(rack, await startReimage(rack, "--all", "--image", "narrow", "--no-resident"), 120_000);
      for (const [index, board] of rack.boards.entries()) {
        const { proof } = reimageOf(rollout, board);
        assert.equal(proof?.kind, ProofKind.PROOF_KIND_WEAK);
        assert.match(proof?.kernelPath ?? "", index === 0 ? /\/firmware\/kernel7\.img$/ : /\/firmware\/kernel7l\.img$/);
        const model = index === 0 ? "pi-3" : "pi-4";
        const from = marks[index] ?? 0;
        await assertStarts(board, from, { ...wide[model], bits: 32 });
        const mark = board.console.mark();
        await board.powerOff();
        await board.powerOn();
        await assertStarts(board, mark, { ...wide[model], bits: 32 });
      }
    }),
  );
});
