import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type BoardReport, viewBoardReport } from "../../../../controller/cli/view/board-report-view.ts";
import { viewNode } from "../../../../controller/cli/view/node-view.ts";
import { GetBoardReportResponse, Node } from "../../../../proto/gen/pallet/v1/controller.ts";
import { checkout } from "../../../programs/checkout.ts";
import { sequenceFrom } from "./board-reports.ts";
import { requestSequences } from "./request-sequences.ts";

/** The report of a board that booted twice, and asked so. */
function reportOf(paths: readonly string[]): BoardReport {
  const requests = [...paths, ...paths].map((path, at) => ({
    ...{ time: new Date(at), address: "10.0.0.7", protocol: "tftp", path },
    outcome: /sig|autoboot/.test(path) ? "not-found" : "served",
  }));
  return viewBoardReport(GetBoardReportResponse.fromPartial({ requests }), {
    madeAt: "2026-11-28T00:00:00.000Z",
    controllerVersion: "1",
    node: viewNode(Node.fromPartial({ facts: { model: "Raspberry Pi 3 Model B" } })),
    events: [],
  });
}

describe("the requests in a board's report", () => {
  it("are those of its last boot, in the form of the sequences that are written down", () => {
    const written = requestSequences.find(({ name }) => name === "pi-3");
    assert.ok(written);
    const found = sequenceFrom(reportOf(written.requests), "pi-3");
    assert.deepEqual(found.requests, written.requests);
    assert.equal(found.evidence, "log");
    assert.match(found.source, /Raspberry Pi 3 Model B, 2026-11-28/);
  });

  it("name the folder that is rendered for a node as the sequences do", () => {
    assert.deepEqual(
      sequenceFrom(reportOf(["5e1fabcd/start4.elf", "5e1fabcd/pallet/67165398d75c/kernel"]), "x").requests,
      ["5e1fabcd/start4.elf", "5e1fabcd/{prefix}kernel"],
    );
  });

  const folder = join(checkout, "test/golden/board-reports");
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".json")))
    it(`of ${file} can be read`, () => {
      const report = JSON.parse(readFileSync(join(folder, file), "utf8")) as BoardReport;
      assert.ok(sequenceFrom(report, file).requests.length > 3);
    });
});
