// What becomes of the firmware on a card: the decision, what people read of it, and its way to the agent.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Image } from "../../../../../controller/images/catalogue/image.ts";
import {
  type CardFirmwarePolicy,
  describeDiskFirmware,
  planDiskFirmware,
} from "../../../../../controller/reimage/plan/plan-disk-firmware.ts";
import { createFakeRack, image } from "../fakes/fake-rack.ts";

const pi3 = "Raspberry Pi 3 Model B Plus Rev 1.3";
const pi3b = "Raspberry Pi 3 Model B Rev 1.2";
const pi4 = "Raspberry Pi 4 Model B Rev 1.4";
const pi5 = "Raspberry Pi 5 Model B Rev 1.0";
const boot = { offsetBytes: 2 ** 20, lengthBytes: 2 ** 28 };
const withoutFat: Image = { ...image, partitions: image.partitions.slice(1) };
const twoFats: Image = {
  ...image,
  partitions: image.partitions.flatMap((part) =>
    part.number === 1 ? [part, { ...part, number: 3, offsetBytes: 2 ** 30 }] : [part],
  ),
};

describe("planDiskFirmware", () => {
  for (const [policy, model, expected] of [
    ["auto", pi3, "rename bootcode.bin"],
    ["auto", pi3b, "rename config.txt start.elf start_x.elf start_cd.elf start_db.elf recovery.elf"],
    ["auto", pi4, "nothing"],
    ["auto", pi5, "nothing"],
    ["auto", "", "nothing"],
    ["rename", pi3, "rename bootcode.bin"],
    ["rename", pi4, "rename start4.elf start4x.elf start4cd.elf start4db.elf start.elf"],
    ["rename", pi5, "rename config.txt"],
    ["reformat", pi3, "reformat"],
    ["reformat", pi4, "reformat"],
    ["keep", pi3, "nothing"],
    ["keep", pi4, "nothing"],
  ] as const)
    it(`${policy}, ${model || "a board without a name"}: ${expected}`, () => {
      const firmware = planDiskFirmware(policy, model, image);
      assert.equal(firmware ? [firmware.action, ...firmware.files].join(" ") : "nothing", expected);
      if (firmware !== undefined) assert.deepEqual(firmware.partitions, [boot]);
    });

  it("means every FAT partition, as boot ROMs look at each", () => {
    const firmware = planDiskFirmware("auto", pi3, twoFats);
    assert.deepEqual(firmware?.partitions, [boot, { ...boot, offsetBytes: 2 ** 30 }]);
  });

  it("has nothing to do for an image without a FAT partition", () => {
    for (const policy of ["rename", "reformat"] as const)
      assert.equal(planDiskFirmware(policy, pi3, withoutFat), undefined);
  });
});

describe("describeDiskFirmware", () => {
  const told = (policy: CardFirmwarePolicy, model: string | undefined, of = image) =>
    describeDiskFirmware(policy, { name: "pi-1", model }, of);

  it("says what is renamed and where", () => {
    assert.deepEqual(told("auto", pi3), {
      step: "Rename bootcode.bin on partition 1, if present, so that the board's own firmware does not boot the card.",
    });
    assert.match(told("auto", pi3, twoFats).step ?? "", /on partitions 1, 3, if present/);
  });

  it("says what stays on a board that would sleep without it", () => {
    assert.match(
      told("auto", pi3b).step ?? "",
      /^Rename config\.txt, start\.elf, .* bootcode\.bin stays: it goes on asking the network while nobody answers\.$/,
    );
  });

  it("says that a partition is emptied", () => {
    assert.match(told("reformat", pi4).step ?? "", /^Make partition 1 an empty FAT/);
  });

  it("says what depends on a board that has not told its model yet", () => {
    assert.match(
      told("auto", undefined).step ?? "",
      /^If the board turns out to try its card .*rename what it boots from/,
    );
  });

  it("warns of firmware that is kept on a board that looks at its card first", () => {
    const { step, note } = told("keep", pi3);
    assert.equal(step, undefined);
    assert.match(note ?? "", /pi-1 \(Raspberry Pi 3 .*\) tries its card before the network.*removes the card by hand/);
  });

  it("says nothing where nothing is done and nothing is to be feared", () => {
    for (const [policy, model, of] of [
      ["auto", pi4, image],
      ["auto", "", image],
      ["keep", pi4, image],
      ["keep", pi3, withoutFat],
      ["rename", pi3, withoutFat],
      ["auto", undefined, withoutFat],
    ] as const)
      assert.deepEqual(told(policy, model, of), {});
  });
});

describe("a reimage", () => {
  /** The customisation that the agent of a node of this model was asked for. */
  async function asked(model: string, how: { policy?: CardFirmwarePolicy; noResident?: boolean } = {}) {
    const rack = createFakeRack();
    rack.cardFirmware = how.policy ?? "auto";
    rack.restart();
    rack.machine().model = model;
    rack.machine().powerOn();
    await rack.clock.advanceSettling(25_000);
    await rack.untilEnded(await rack.startAll(how.noResident ? { noResident: true } : {}));
    const [spec] = rack.machine().specs;
    assert.ok(spec?.kind === "write-image");
    return { rack, customisation: spec.customisation };
  }

  it("of a Pi 3 asks the agent to rename bootcode.bin, and tells it", async () => {
    const { rack, customisation } = await asked(pi3);
    assert.deepEqual(customisation?.diskFirmware, { action: "rename", partitions: [boot], files: ["bootcode.bin"] });
    assert.equal(customisation?.resident, true);
    assert.ok(rack.events.some(({ message }) => message.endsWith("firmware does not boot: bootcode.bin renamed")));
  });

  it("of a Pi 4 asks for nothing of the kind", async () => {
    const { customisation } = await asked(pi4);
    assert.ok(customisation?.stamp);
    assert.equal(customisation?.diskFirmware, undefined);
  });

  it("that leaves the system untouched keeps a Pi 3 from booting its card all the same, and does nothing else", async () => {
    const { customisation } = await asked(pi3, { noResident: true });
    assert.deepEqual(customisation, {
      resident: false,
      diskFirmware: { action: "rename", partitions: [boot], files: ["bootcode.bin"] },
    });
  });

  it("that leaves the system untouched leaves the image to the byte on a Pi 4, and where the operator keeps firmware", async () => {
    assert.equal((await asked(pi4, { noResident: true })).customisation, undefined);
    assert.equal((await asked(pi3, { noResident: true, policy: "keep" })).customisation, undefined);
  });
});
