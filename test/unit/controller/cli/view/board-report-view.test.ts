import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { anonymise, type BoardReport, viewBoardReport } from "../../../../../controller/cli/view/board-report-view.ts";
import { viewNode } from "../../../../../controller/cli/view/node-view.ts";
import { GetBoardReportResponse, Node } from "../../../../../proto/gen/pallet/v1/controller.ts";

const mac = "dc:a6:32:5e:1f:ab";
const at = { address: "10.0.0.7", protocol: "tftp", time: new Date(0) };
const report: BoardReport = viewBoardReport(
  GetBoardReportResponse.fromPartial({
    requests: [
      { ...at, path: "5e1fabcd/start4.elf", outcome: "served", bytes: 2n },
      { ...at, path: "pxelinux.cfg/01-dc-a6-32-5e-1f-ab", outcome: "served" },
      { ...at, path: "DCA6325E1FAB/config.txt", outcome: "not-found" },
    ],
    items: [
      { name: "/proc/device-tree/serial-number", value: "100000005e1fabcd" },
      { name: "/proc/cpuinfo", value: "Revision : c03111\nSerial : 100000005e1fabcd" },
      { name: "/sys/class/mmc_host/mmc0/mmc0:aaaa/cid", value: "275048534431364730c3a2b4c5016b00" },
      { name: "/sys/class/mmc_host/mmc0/mmc0:aaaa/serial", value: "0xc3a2b4c5" },
      { name: "/sys/class/net/lo/address", value: "00:00:00:00:00:00" },
      { name: "dmesg", value: "bcmgenet: link/ether DC:A6:32:5E:1F:AB brd ff:ff:ff:ff:ff:ff" },
    ],
  }),
  {
    madeAt: "2026-11-28T00:00:00.000Z",
    controllerVersion: "1",
    node: viewNode(Node.fromPartial({ nodeId: mac, name: "node-5e1fab", facts: { serial: "100000005e1fabcd" } })),
    events: [],
  },
);

describe("a board's report", () => {
  it("has its form, and requests in order", () => {
    assert.equal(report.format, "pallet-board-report/1");
    assert.deepEqual(
      report.requests.map(({ path, outcome }) => `${outcome} ${path}`),
      ["served 5e1fabcd/start4.elf", "served pxelinux.cfg/01-dc-a6-32-5e-1f-ab", "not-found DCA6325E1FAB/config.txt"],
    );
    assert.equal(report.boardMissing, null);
  });

  it("anonymised has no identifier left, in whatever spelling, and the same one for the same everywhere", () => {
    const hidden = anonymise(report);
    const text = JSON.stringify(hidden).toLowerCase();
    for (const original of ["5e1fab", "5e:1f:ab", "5e-1f-ab", "5e1fabcd", "c3a2b4c5", "275048534431364730"])
      assert.ok(!text.includes(original), `${original} is still there`);
    assert.equal(hidden.anonymised, true);
    assert.equal(hidden.node.nodeId, "dc:a6:32:00:00:01");
    assert.equal(hidden.requests[1]?.path, "pxelinux.cfg/01-dc-a6-32-00-00-01");
    const serial = hidden.board["/proc/device-tree/serial-number"] ?? "";
    assert.equal(hidden.node.facts?.serial, serial);
    assert.equal(hidden.requests[0]?.path, `${serial.slice(-8)}/start4.elf`);
    assert.equal(hidden.board["/sys/class/net/lo/address"], "00:00:00:00:00:00");
    assert.match(hidden.board["dmesg"] ?? "", /brd ff:ff:ff:ff:ff:ff/);
    assert.match(hidden.board["/proc/cpuinfo"] ?? "", /Revision : c03111/);
  });
});
