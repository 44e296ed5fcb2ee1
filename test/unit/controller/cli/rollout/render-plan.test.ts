import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderEraseQuestion, renderPlan } from "../../../../../controller/cli/rollout/render-plan.ts";
import { viewImage } from "../../../../../controller/cli/view/image-view.ts";
import { viewPlan } from "../../../../../controller/cli/view/rollout-view.ts";
import { FailureReason } from "../../../../../proto/gen/pallet/v1/failure.ts";
import { ReimagePlan } from "../../../../../proto/gen/pallet/v1/rollout.ts";
import { anImage } from "../a-catalogue.ts";

const image = viewImage(anImage);
const look = { color: false, unicode: true };

function aPlan(nodeName: string, disk: string, steps: readonly string[]) {
  return viewPlan(
    ReimagePlan.fromPartial({ nodeName, disk, diskBytes: 2n ** 35n, writeBytes: 2n ** 31n, steps: [...steps] }),
  );
}

function stepsOf(plans: readonly ReturnType<typeof aPlan>[]): string[] {
  const lines = renderPlan(image, plans, look);
  // The table comes last, after an empty line.
  const end = lines.findLastIndex((line) => line.startsWith("NODE")) - 1;
  return lines.slice(
    lines.findIndex((line) => line.startsWith("Steps")),
    end,
  );
}

const journey = (name: string, disk: string) =>
  aPlan(name, disk, [
    `Erase ${disk} but not ${disk}p2.`,
    `Wait for the proof that ${name} (not ${name}-b) runs from ${disk}.`,
  ]);

describe("plan of a rollout", () => {
  it("tells the steps of equal nodes once", () => {
    assert.deepEqual(stepsOf([journey("rack-1", "/dev/mmcblk0"), journey("rack-2", "/dev/mmcblk0")]).slice(0, 2), [
      "Steps on rack-1:",
      "  1. Erase /dev/mmcblk0 but not /dev/mmcblk0p2.",
    ]);
    const equal = (name: string, disk: string) => aPlan(name, disk, [`Erase ${disk}.`, `Wait for ${name}.`]);
    assert.deepEqual(stepsOf([equal("rack-1", "/dev/mmcblk0"), equal("rack-2", "/dev/mmcblk0")]), [
      "Steps on every node:",
      "  1. Erase /dev/mmcblk0.",
      "  2. Wait for the node.",
    ]);
    assert.deepEqual(stepsOf([equal("rack-1", "/dev/sda"), equal("rack-2", "/dev/mmcblk0")]), [
      "Steps on every node:",
      "  1. Erase the disk.",
      "  2. Wait for the node.",
    ]);
  });

  it("tells them in full for a node that goes another way, and for one alone", () => {
    const [one, other] = [aPlan("rack-1", "/dev/sda", ["Reboot rack-1."]), aPlan("rack-2", "/dev/sda", ["Stay."])];
    assert.deepEqual(stepsOf([one, other]), [
      "Steps on rack-1:",
      "  1. Reboot rack-1.",
      "",
      "Steps on rack-2:",
      "  1. Stay.",
    ]);
    assert.deepEqual(stepsOf([one]), ["Steps on rack-1:", "  1. Reboot rack-1."]);
  });

  it("takes no word of a sentence for a node's name", () => {
    const plans = ["image", "disk"].map((name) => aPlan(name, "/dev/sda", ["Write image to the disk."]));
    assert.deepEqual(stepsOf(plans), ["Steps on every node:", "  1. Write image to the disk."]);
  });
});

describe("what is erased", () => {
  it("comes last, below steps, notes and refusals, however long the rack is", () => {
    const refusal = { reason: FailureReason.FAILURE_REASON_TOO_SMALL, message: "too small" };
    const going = Array.from({ length: 60 }, (_, index) => aPlan(`pi-${index + 1}`, "/dev/mmcblk0", ["Erase it."]));
    const odd = viewPlan(ReimagePlan.fromPartial({ nodeName: "pi-70", refusal }));
    const noted = { ...aPlan("pi-80", "/dev/mmcblk0", ["Erase it."]), note: "it is offline" };
    const same = { ...aPlan("pi-90", "", []), unchanged: "it has proved that it runs debian-12" };
    const lines = renderPlan(image, [odd, same, noted, ...going], look);
    const table = lines.findIndex((line) => line.startsWith("NODE"));
    assert.equal(lines.length - table, 1 + 61);
    for (const warning of [
      "Refused: pi-70",
      "Note on pi-80: it is offline",
      "Left alone: 1 node, pi-90: it has proved",
    ])
      assert.ok(
        lines.slice(0, table).some((line) => line.startsWith(warning)),
        warning,
      );
    assert.ok(!lines.slice(table).some((line) => /pi-70|pi-90/.test(line)));
    assert.equal(
      renderEraseQuestion(image, [odd, same, ...going]),
      "Erase /dev/mmcblk0 on 60 nodes and install debian-12? Type yes: ",
    );
  });
});

describe("the disk that is erased", () => {
  it("is shown with model and serial number, below its name, also if it holds nothing", () => {
    const seen = {
      nodeId: "",
      disk: "/dev/sda",
      sizeBytes: 0n,
      model: "Fast I",
      serial: "A\u001b1",
      cid: "",
      content: [],
    };
    const rows = (erases: string[]) => {
      const plan = ReimagePlan.fromPartial({ nodeName: "pi-1", disk: "/dev/sda", diskBytes: 2n ** 35n, erases, seen });
      return renderPlan(image, [viewPlan(plan)], look)
        .slice(-2)
        .map((line) => line.trimEnd());
    };
    assert.match(rows([]).join("\n"), /^pi-1 +\/dev\/sda .*the disk is blank\n +Fast I, serial A\\x1b1$/);
    assert.match(rows(["one", "two"]).join("\n"), /^pi-1 .* one\n +Fast I, serial A\\x1b1 +two$/);
  });
});

describe("question before erasing", () => {
  it("names the disk where it is the same on every node, and the table above otherwise", () => {
    const question = (...disks: string[]) =>
      renderEraseQuestion(
        image,
        disks.map((disk, index) => aPlan(`rack-${index}`, disk, [])),
      );
    assert.equal(question("/dev/sda"), "Erase /dev/sda on 1 node and install debian-12? Type yes: ");
    assert.equal(question("/dev/sda", "/dev/sda"), "Erase /dev/sda on 2 nodes and install debian-12? Type yes: ");
    assert.equal(
      question("/dev/sda", "/dev/sdb"),
      "Erase the disks above on 2 nodes and install debian-12? Type yes: ",
    );
    assert.equal(question("", ""), "Erase the disks above on 2 nodes and install debian-12? Type yes: ");
  });
});
