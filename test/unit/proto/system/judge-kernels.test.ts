import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type InstalledKernels, judgeKernels } from "../../../../proto/system/judge-kernels.ts";

const usable = (...releases: string[]): InstalledKernels["modules"] =>
  releases.map((release) => ({ release, usable: true }));

describe("judgeKernels", () => {
  const rpi = "6.12.34+rpt-rpi-v8";
  for (const [title, running, modules, kernels, severity, message] of [
    ["modules and kernel of the image", rpi, usable(rpi), [rpi], undefined, undefined],
    [
      "kernels of several boards, all of one version",
      rpi,
      usable(rpi, "6.12.34+rpt-rpi-2712"),
      [rpi, "6.12.34+rpt-rpi-2712"],
      undefined,
      undefined,
    ],
    ["a newer kernel of another board only", rpi, usable(rpi, "6.12.40+rpt-rpi-2712"), [], undefined, undefined],
    [
      "an older kernel beside it",
      "6.1.0-28-arm64",
      usable("6.1.0-28-arm64", "6.1.0-9-arm64"),
      ["6.1.0-9-arm64"],
      undefined,
      undefined,
    ],
    ["a system without modules: everything is built in", "6.6.20", [], ["6.6.20", "6.6.21"], undefined, undefined],
    [
      "modules of the new kernel only",
      rpi,
      usable("6.12.40+rpt-rpi-v8"),
      ["6.12.40+rpt-rpi-v8"],
      "warning",
      /runs kernel 6\.12\.34\+rpt-rpi-v8.*modules of 6\.12\.40\+rpt-rpi-v8 only.*Wi-Fi.*hold.*reimage/,
    ],
    ["modules of many others", rpi, usable("1", "2", "3", "4", "5", "6"), [], "warning", /1, 2, 3, 4 and 2 more only/],
    ["modules of its own without an index", rpi, [{ release: rpi, usable: false }], [], "warning", /no modules\.dep/],
    [
      "modules of another without an index",
      rpi,
      [{ release: "6.12.40", usable: false }],
      [],
      "warning",
      /modules of no kernel/,
    ],
    [
      "a newer kernel in /boot",
      rpi,
      usable(rpi),
      ["6.12.40+rpt-rpi-v8"],
      "info",
      /has kernel 6\.12\.40\+rpt-rpi-v8.*still runs 6\.12\.34.*hold/,
    ],
    [
      "modules of a newer kernel, by number and not by letter",
      "6.1.0-9-arm64",
      usable("6.1.0-9-arm64", "6.1.0-28-arm64", "6.1.0-31-arm64"),
      [],
      "info",
      /has kernel 6\.1\.0-31-arm64/,
    ],
    ["a running kernel that is unknown", "", usable("6.1"), [], undefined, undefined],
  ] as const)
    it(`says ${severity ?? "nothing"} of ${title}`, () => {
      const finding = judgeKernels(running, { modules, kernels });
      assert.equal(finding?.severity, severity);
      if (message !== undefined) assert.match(finding?.message ?? "", message);
    });
});
