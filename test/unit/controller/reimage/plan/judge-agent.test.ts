import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeLeftOut, judgeAgent } from "../../../../../controller/reimage/plan/judge-agent.ts";
import type { NodeId } from "../../../../../proto/names/node-id.ts";
import { type Capability, capabilities, features } from "../../../../../proto/operation/capabilities.ts";
import type { OperationSpec } from "../../../../../proto/operation/operation-spec.ts";

type Write = OperationSpec & { readonly kind: "write-image" };

const place = { offsetBytes: 2 ** 20, lengthBytes: 2 ** 30, filesystemType: "ext4" };
const bare: Write = { kind: "write-image", device: "/dev/mmcblk0", source: {} as Write["source"], full: false };
const resident = { resident: true } as const;

/** What asks for each capability that a write can ask for. */
const asking: Readonly<Record<Exclude<Capability, "cancel-ahead" | "read-disk" | "tasks">, Partial<Write>>> = {
  "disk-firmware": { customisation: { ...resident, diskFirmware: { action: "rename", partitions: [], files: [] } } },
  growth: { growth: { partitionNumber: 2, ...place } },
  ids: { ids: { partitions: [], fatPartitions: [] } },
  "system-config": { customisation: { ...resident, system: { hostname: "pi-1" } } },
  "resident-settings": {
    customisation: {
      ...resident,
      settings: { node: "b8:27:eb:00:00:01" as NodeId, controllers: [{ host: "a", port: 1 }] },
    },
  },
};

describe("judgeAgent", () => {
  for (const each of Object.keys(asking) as (keyof typeof asking)[]) {
    const others = capabilities.filter((other) => other !== each);
    const spec: Write = { ...bare, ...asking[each] };
    it(`lets an agent that knows ${each} do it`, () => {
      assert.deepEqual(judgeAgent(spec, { version: "1", capabilities }), { spec, leftOut: [] });
    });

    it(`lets an agent of before capabilities do what needs no ${each}`, () => {
      assert.deepEqual(judgeAgent(bare, { version: "1" }), { spec: bare, leftOut: [] });
    });

    for (const [which, known] of [
      ["one that knows everything else", others],
      ["one of before capabilities", undefined],
    ] as const) {
      const verdict = judgeAgent(spec, { version: "0.1.0", ...(known && { capabilities: known }) });
      if (each === "resident-settings") {
        it(`asks ${which} for the write without ${each}, and says so`, () => {
          assert.deepEqual(verdict, {
            spec: { ...bare, customisation: resident },
            leftOut: ["resident-settings"],
          });
          assert.match(
            describeLeftOut("pi-1", verdict) ?? "",
            /^the agent of pi-1 is older .* write the controller's addresses into the new system: .*"controller rootfs bake"/,
          );
        });
        continue;
      }
      it(`refuses ${which} by name, with the remedy`, () => {
        assert.equal(verdict.refusal?.reason, "unsupported");
        assert.ok(
          verdict.refusal.message.includes(
            `version 0.1.0) is older than this controller and cannot ${features[each].does} (${each})`,
          ),
        );
        assert.match(verdict.refusal.message, /"controller rootfs bake"\), and reboot the node/);
        const { otherwise } = features[each];
        assert.equal(verdict.refusal.message.includes("; or do without: "), otherwise !== undefined);
        if (otherwise !== undefined) assert.ok(verdict.refusal.message.endsWith(otherwise));
      });
    }
  }

  it("names all that is unknown", () => {
    const spec = { ...bare, ...asking.growth, ...asking.ids };
    assert.match(judgeAgent(spec, { version: "1" }).refusal?.message ?? "", /\(growth\), .*\(ids\): /);
  });
});
