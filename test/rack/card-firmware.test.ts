// Boards that look at their card before the network, and images with firmware that they would boot.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { BootTarget } from "../../proto/gen/pallet/v1/controller.ts";
import { FailureReason } from "../../proto/gen/pallet/v1/failure.ts";
import { ProofKind } from "../../proto/gen/pallet/v1/rollout.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import type { Board } from "./board.ts";
import { createRack, type Rack } from "./rack.ts";
import { end, reimageOf, startReimage, tell, wentSilent } from "./story.ts";

/** A Pi 3 in the agent, and an image of an ordinary system: with bootcode.bin. */
async function aPi3(settings: object): Promise<{ rack: Rack; image: TinyImage }> {
  const rack = await createRack({ nodes: 1, model: "pi-3", settings: { ...settings } });
  const image = await makeTinyImage({ folder: rack.folder, name: "image", firmware: true });
  await rack.palletOk("images", "add", image.path, "--name", "image");
  await rack.powerOnAll();
  return { rack, image };
}

/** Names in the FAT partition on the card. */
async function bootFiles({ card }: Board, { boot }: TinyImage): Promise<readonly string[]> {
  const { stdout } = await execa("mdir", ["-i", `${card.file}@@${boot.offsetBytes}`, "-b", "-a", "::/"]);
  return stdout.split("\n").map((line) => line.replace("::/", ""));
}

describe("a Pi 3 and an image with bootcode.bin", requires("root", "loop devices"), () => {
  let rack: Rack;
  let image: TinyImage;
  before(async () => {
    ({ rack, image } = await aPi3({}));
  });
  after(() => rack.close());

  it("is proved, and taken back over the network for its next reimage", { timeout: 480_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(1);
      assert.match(
        await rack.palletOk("reimage", "--all", "--dry-run"),
        /Rename config\.txt, start\.elf, .* on partition 1/,
      );
      for (let round = 1; round <= 2; round++) {
        const mark = board.console.mark();
        const { proof } = reimageOf(await end(rack, await startReimage(rack, "--all")), board);
        assert.equal(proof?.kind, ProofKind.PROOF_KIND_RESIDENT);
        await board.console.waitFor(/bootcode\.bin alone on partition 1[\s\S]*booting label local/, { from: mark });
        const names = await bootFiles(board, image);
        for (const name of ["bootcode.bin", "start.off", "config.off", "cmdline.txt"])
          assert.ok(names.includes(name), `${name} is not among ${names.join()}`);
        for (const name of ["start.elf", "config.txt"]) assert.ok(!names.includes(name), `${name} is still there`);
      }
      assert.doesNotMatch(await rack.palletOk("node", "logs"), /is back, probably because of an upgrade/);
    }),
  );

  it("comes back after a power cut that the controller takes longer to get over", { timeout: 480_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(1);
      await board.powerOff();
      await rack.controller.kill();
      const mark = board.console.mark();
      await board.powerOn();
      await board.console.waitFor(/bootcode\.bin: nobody answers, asking again/, { from: mark });
      await rack.startController();
      await board.console.waitFor(/booting label local[\s\S]*Mounted root/, { from: mark });
    }),
  );

  it("is proved weakly with --no-resident, with one sector that is not the image's", { timeout: 360_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(1);
      board.failNextReboot();
      const id = await startReimage(rack, "--all", "--no-resident");
      // The first reboot is that into the agent.
      await board.console.waitFor(/the power supply fails/);
      const mark = board.console.mark();
      board.failNextReboot();
      await board.powerOn();
      board.failNextReboot();
      await board.console.waitFor(/the power supply fails/, { from: mark });
      const content = await readFile(image.path);
      const written = await board.card.read(0, content.length);
      // What no filesystem uses is not written, and holds what the reimages before left there.
      const sectors = Array.from({ length: content.length / 512 }, (_, index) => index * 512);
      const used = sectors.filter((at) => content.subarray(at, at + 512).some((byte) => byte !== 0));
      const other = used.filter((at) => written.compare(content, at, at + 512, at, at + 512) !== 0);
      assert.equal(other.length, 1, `sectors at ${other.join(", ")} differ`);
      await board.powerOn();
      const { proof } = reimageOf(await end(rack, id), board);
      assert.equal(proof?.kind, ProofKind.PROOF_KIND_WEAK);
    }),
  );
});

describe("a Pi 3 whose card has no bootcode.bin", requires("root", "loop devices"), () => {
  let rack: Rack;
  before(async () => {
    rack = await createRack({ nodes: 1, model: "pi-3" });
  });
  after(() => rack.close());

  it("sleeps until someone cuts its power, when nobody answers its boot ROM", { timeout: 360_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(1);
      await rack.controller.kill();
      await board.powerOn();
      await board.console.waitFor(/asleep until the power is cut/, { timeoutMs: 60_000 });
      await rack.startController();
      await board.powerOff();
      await rack.powerOnAll();
    }),
  );
});

describe("a Pi 3 whose operator keeps firmware on cards", requires("root", "loop devices"), () => {
  let rack: Rack;
  before(async () => {
    ({ rack } = await aPi3({ bootProfile: { cardFirmware: "keep" }, reimage: { proveTimeoutMs: 8_000 } }));
  });
  after(() => rack.close());

  it(
    "is warned of in the plan, and lost to its card without a resident agent: no boot target reaches it",
    { timeout: 360_000 },
    () =>
      tell(rack, async () => {
        const board = rack.board(1);
        const plan = (await rack.palletOk("reimage", "--all", "--dry-run")).replaceAll(/\s+/g, " ");
        assert.match(plan, /tries its card before the network, and bootProfile\.cardFirmware is keep/);
        assert.doesNotMatch(plan, /Rename/);

        const rollout = await end(rack, await startReimage(rack, "--all", "--no-resident"));
        const { failure } = reimageOf(rollout, board);
        assert.equal(failure?.reason, FailureReason.FAILURE_REASON_NODE_SILENT);
        assert.match(
          failure?.message ?? "",
          /if it is running, it boots its card without asking the network: .*bootProfile\.cardFirmware/,
        );
        await wentSilent(rack, board);
        const [node] = await rack.client.nodes();
        assert.deepEqual([node?.bootTarget, node?.online], [BootTarget.BOOT_TARGET_AGENT, false]);

        await board.powerOff();
        const mark = board.console.mark();
        await board.powerOn();
        await board.console.waitFor(/booting bootcode\.bin on partition 1 of the card[\s\S]*Mounted root/, {
          from: mark,
        });
      }),
  );
});

describe(
  "a Pi 3 that boots its card by itself, without the controller's kernel words",
  requires("root", "loop devices"),
  () => {
    let rack: Rack;
    before(async () => {
      const advertiseAlso = ["pallet.invalid", "192.0.2.1:7700"];
      ({ rack } = await aPi3({ bootProfile: { cardFirmware: "keep" }, advertiseAlso }));
    });
    after(() => rack.close());

    it(
      "is proved, and shown as what it is, by what its system was told when it was written",
      { timeout: 360_000 },
      () =>
        tell(rack, async () => {
          const board = rack.board(1);
          const mark = board.console.mark();
          const { proof } = reimageOf(await end(rack, await startReimage(rack, "--all")), board);
          assert.equal(proof?.kind, ProofKind.PROOF_KIND_RESIDENT);
          await board.console.waitFor(/booting bootcode\.bin on partition 1 of the card[\s\S]*Mounted root/, {
            from: mark,
          });
          const settings = JSON.parse(await board.run("cat", ["/etc/pallet/agent.json"])) as object;
          const controllers = [`${rack.network.address}:7700`, "pallet.invalid:7700", "192.0.2.1:7700"];
          assert.deepEqual(settings, { node: board.mac, controllers });
          assert.match(
            await rack.palletOk("node", "show", board.mac),
            /booted +its card by itself, without the controller's/,
          );
        }),
    );

    it("comes back by itself after a power cut, while its controller is away at first", { timeout: 360_000 }, () =>
      tell(rack, async () => {
        const board = rack.board(1);
        await board.powerOff();
        await rack.controller.kill();
        const mark = board.console.mark();
        await board.powerOn();
        await board.console.waitFor(/could not reach the controller; retrying/, { from: mark });
        await rack.startController();
        await board.console.waitFor(/"msg":"registered"/, { from: mark });
        const [node] = await rack.client.nodes();
        assert.deepEqual([node?.nodeId, node?.online, node?.agent?.bootedAlone], [board.mac, true, true]);
      }),
    );

    it("obeys its controller: it reboots when it is told to", { timeout: 360_000 }, () =>
      tell(rack, async () => {
        const board = rack.board(1);
        const mark = board.console.mark();
        await rack.palletOk("reboot", board.mac);
        await board.console.waitFor(/warm reboot[\s\S]*"msg":"registered"/, { from: mark });
      }),
    );
  },
);
