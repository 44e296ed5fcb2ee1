import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Image, Partition } from "../../../../../controller/images/catalogue/image.ts";
import { describeGrowth, forecastGrowth, planGrowth } from "../../../../../controller/images/catalogue/plan-growth.ts";
import { cardFitOf, describeOutcome, growthStep } from "../../../../../controller/reimage/plan/describe-card-growth.ts";
import { planCardIds } from "../../../../../controller/reimage/plan/plan-card-ids.ts";
import { parseSize } from "../../../../../proto/disk/parse-size.ts";
import type { NodeId } from "../../../../../proto/names/node-id.ts";
import { image } from "../fakes/fake-rack.ts";

const mebibyte = 2 ** 20;
const part = (number: number, offsetMib: number, changes: Partial<Partition> = {}): Partition => ({
  number,
  offsetBytes: offsetMib * mebibyte,
  lengthBytes: 64 * mebibyte,
  type: "83",
  partitionUuid: `4e639091-0${number}`,
  filesystemType: "ext4",
  label: "",
  uuid: "",
  ...changes,
});
const boot = part(1, 1, { filesystemType: "vfat" });
const of = (partitions: readonly Partition[], changes: Partial<Image> = {}): Image => ({
  ...image,
  partitionTable: "mbr",
  partitions,
  rootPartition: 2,
  ...changes,
});

describe("the growth of a root", () => {
  const forecasts: readonly (readonly [Image, string])[] = [
    [of([boot, part(2, 65)]), "grows to the end of the card, and its ext4 with it"],
    [of([boot, part(2, 65, { filesystemType: "ext2" })]), "grows to the end of the card, and its ext2 with it"],
    [
      of([boot, part(2, 65, { filesystemType: "btrfs" })]),
      "grows to the end of the card, but not what is in it (btrfs): grow that in the running system",
    ],
    [of([boot, part(2, 65), part(3, 129)]), "does not grow: it is not the last partition"],
    [of([part(3, 1), part(2, 65), boot]), "grows to the end of the card, and its ext4 with it"],
    [of([boot, part(5, 65)], { rootPartition: 5 }), "does not grow: it is a logical partition"],
    [
      of([boot, part(5, 65)], { rootPartition: 5, partitionTable: "gpt" }),
      "grows to the end of the card, and its ext4 with it",
    ],
    [of([boot, part(2, 65, { countsWhole: "dm-verity covers it" })]), "does not grow: dm-verity covers it"],
    [
      of([boot, part(2, 65)], { everything: true }),
      "does not grow: the image was added with --everything, so something may read all of it",
    ],
  ];
  for (const [given, expected] of forecasts)
    it(`is forecast: ${expected}`, () => {
      const forecast = forecastGrowth(given);
      assert.equal(describeGrowth(forecast), expected);
      assert.equal(planGrowth(given) === undefined, forecast.kind === "stays");
    });

  it("is asked for unless the operator says otherwise, and of an untouched image only up to a bound", () => {
    assert.deepEqual(cardFitOf({}), { grow: true });
    assert.deepEqual(cardFitOf({ noGrow: true }), { grow: false });
    assert.deepEqual(cardFitOf({ growToBytes: 5 }), { grow: true, endBytes: 5 });
    assert.equal(cardFitOf({ noResident: true }), undefined);
    assert.deepEqual(cardFitOf({ noResident: true, growToBytes: 5 }), { grow: true, endBytes: 5 });
    assert.equal(growthStep(of([boot, part(2, 65)]), { grow: false }), undefined);
    assert.match(
      growthStep(of([boot, part(2, 65)]), { grow: true, endBytes: 2 ** 34 }) ?? "",
      /grows to 16 GiB of the card/,
    );
  });

  it("is told as it came out, also of an agent that is older than that", () => {
    assert.equal(describeOutcome(false, undefined), undefined);
    assert.match(describeOutcome(true, undefined) ?? "", /did not grow, because its agent is older/);
    const growth = { partitionBytes: 2 ** 35, filesystemGrown: true };
    assert.equal(describeOutcome(true, { ids: [], growth }), "its root grew to 32 GiB");
    const limit = "the agent grows no btrfs";
    assert.equal(
      describeOutcome(true, { ids: [], growth: { ...growth, filesystemGrown: false, limit } }),
      "its root partition has 32 GiB, and its filesystem did not grow: the agent grows no btrfs",
    );
  });

  it("has a bound with a unit", () => {
    assert.deepEqual(["16GB", "16 GiB", "14.5GiB"].map(parseSize), [16e9, 2 ** 34, 14.5 * 2 ** 30]);
    assert.deepEqual(["16", "16G", "", "-1GB", "0GB", "16 gb"].map(parseSize), Array(6).fill(undefined));
  });
});

describe("the ids of a card", () => {
  const card = { nodeId: "b8:27:eb:00:00:01" as NodeId, disk: "/dev/mmcblk0" };
  const zero = of([{ ...boot, partitionUuid: "00000000-01" }, part(2, 65, { partitionUuid: "00000000-02" })]);

  it("are the image's own where those are good", () => {
    assert.equal(planCardIds(of([boot, part(2, 65)]), card), undefined);
  });

  it("replace a disk id of 0: always by the same one on the same card, by another on another", () => {
    const ids = planCardIds(zero, card);
    assert.deepEqual(planCardIds(zero, card), ids);
    const uuids = ids?.partitions.map(({ cardUuid }) => cardUuid) ?? [];
    assert.match(uuids.join(), /^([0-9a-f]{8})-01,\1-02$/);
    assert.ok(!uuids[0]?.startsWith("00000000"));
    assert.deepEqual(ids?.fatPartitions, [{ offsetBytes: mebibyte, lengthBytes: 64 * mebibyte }]);
    assert.equal(ids?.root?.offsetBytes, 65 * mebibyte);
    assert.notDeepEqual(planCardIds(zero, { ...card, disk: "/dev/sda" })?.partitions, ids?.partitions);
  });

  it("replace GUIDs that are zero or there twice, but not that of the root", () => {
    const twice = "d2cd4509-1b05-4e3c-8e3b-0a0b0c0d0e0f";
    const gpt = of([{ ...boot, partitionUuid: twice }, part(2, 65, { partitionUuid: twice })], {
      partitionTable: "gpt",
    });
    const [only, ...others] = planCardIds(gpt, card)?.partitions ?? [];
    assert.deepEqual([only?.partitionNumber, only?.imageUuid, others], [1, twice, []]);
    assert.match(only?.cardUuid ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
