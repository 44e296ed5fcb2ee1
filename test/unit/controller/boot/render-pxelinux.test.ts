import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { BootSpec } from "../../../../controller/boot/boot-spec.ts";
import { renderPxelinux } from "../../../../controller/boot/render-pxelinux.ts";
import { Failure } from "../../../../proto/failure.ts";
import { assertGolden } from "../../../golden.ts";

const agent: BootSpec = {
  label: "agent",
  kernel: "agent/vmlinuz",
  initrd: "agent/initrd.img",
  commandLine: [
    "console=ttyAMA0,115200",
    "ip=dhcp",
    "ro",
    "pallet.controller=10.77.0.1:7700",
    "pallet.node=b8:27:eb:00:00:01",
  ],
};
const local: BootSpec = {
  label: "local",
  kernel: `images/${"ab".repeat(32)}/vmlinuz-6.1.0-18-arm64`,
  initrd: `images/${"ab".repeat(32)}/initrd.img-6.1.0-18-arm64`,
  deviceTree: `images/${"ab".repeat(32)}/bcm2711-rpi-4-b.dtb`,
  commandLine: ["root=PARTUUID=deadbeef-02", "rootwait"],
};
const menu = { title: "Pallet: node-1", timeoutMs: 5000, other: agent };

describe("pxelinux config", () => {
  it("has one label, the agent's", () => assertGolden("boot/pxelinux-agent", renderPxelinux(agent)));
  it("has one label, the local system's", () => assertGolden("boot/pxelinux-local", renderPxelinux(local)));
  it("offers the other target in a menu", () => assertGolden("boot/pxelinux-menu", renderPxelinux(local, { menu })));
  it("leaves out what a spec does not have", () => {
    assertGolden("boot/pxelinux-smallest", renderPxelinux({ label: "agent", kernel: "vmlinuz", commandLine: [] }));
  });

  it("is read by U-Boot's parser as it was meant", () => {
    const parsed = parseLikeUBoot(renderPxelinux(local, { menu }));
    assert.deepEqual(parsed.labels, [
      {
        name: "local",
        kernel: local.kernel,
        initrd: local.initrd,
        fdt: local.deviceTree,
        append: local.commandLine.join(" "),
      },
      { name: "agent", kernel: agent.kernel, initrd: agent.initrd, append: agent.commandLine.join(" ") },
    ]);
    assert.deepEqual([parsed.defaultLabel, parsed.timeoutTenths, parsed.prompt], ["local", 50, true]);
    assert.equal(parseLikeUBoot(renderPxelinux(local)).prompt, false);
  });

  const spoilt: readonly [title: string, change: Partial<BootSpec>, named: string][] = [
    ["a line break in a word", { commandLine: ["quiet\nKERNEL evil"] }, "quiet\\nKERNEL evil"],
    ["a carriage return", { commandLine: ["quiet\r"] }, "quiet\\r"],
    ["a space in a word", { commandLine: ["quiet init=/bin/sh"] }, "quiet init=/bin/sh"],
    ["a tab", { kernel: "agent/\tvmlinuz" }, "agent/\\tvmlinuz"],
    ["a zero byte", { kernel: "agent/vmlinuz\0" }, "agent/vmlinuz\\u0000"],
    ["a line separator of Unicode", { kernel: "agent/vmlinuz\u2028" }, "kernel path"],
    ["an empty word", { commandLine: ["a", ""] }, 'word of the kernel command line "" is empty'],
    ["an empty kernel", { kernel: "" }, 'kernel path "" is empty'],
    ["a comment for a kernel", { kernel: "#vmlinuz" }, "#vmlinuz"],
    ["a FIT configuration", { kernel: "vmlinuz#evil" }, "vmlinuz#evil"],
    ["a comment for a command line", { commandLine: ["#quiet"] }, "#quiet"],
    ["a variable of U-Boot", { commandLine: ["a=$ethaddr"] }, "a=$ethaddr"],
    ["a quote", { commandLine: ["a='b'"] }, "a='b'"],
    ["a backslash", { commandLine: ["a=\\x"] }, "a=\\\\x"],
    ["a line break in the initrd", { initrd: "a\nb" }, "initrd path"],
    ["a line break in the device tree", { deviceTree: "a\nb" }, "device tree path"],
    ["a line break in the label", { label: "agent\nKERNEL evil" as "agent" }, "label"],
    ["a path that U-Boot would cut", { kernel: "k".repeat(128) }, "longer than 127 bytes"],
    [
      "a command line that U-Boot would refuse",
      { commandLine: ["a".repeat(600), "b".repeat(600)] },
      "longer than 1023",
    ],
  ];
  for (const [title, change, named] of spoilt)
    it(`refuses ${title}`, () => {
      assert.throws(
        () => renderPxelinux({ ...agent, ...change }),
        (error) => error instanceof Failure && error.reason === "invalid" && error.message.includes(named),
      );
    });

  it("refuses a word that U-Boot takes for a file, unless it has one already", () => {
    const commandLine = ["initrd=0x1000,64M"];
    assert.throws(() => renderPxelinux({ label: "agent", kernel: "k", commandLine }), /read by U-Boot as a file/);
    assert.equal(parseLikeUBoot(renderPxelinux({ ...agent, commandLine })).labels[0]?.initrd, agent.initrd);
  });

  it("refuses a menu that would hang, lie or inject", () => {
    for (const change of [
      { timeoutMs: 0 },
      { timeoutMs: Number.NaN },
      { title: "a\nKERNEL b" },
      { title: "" },
      { title: "#" },
      { other: local },
    ])
      assert.throws(() => renderPxelinux(local, { menu: { ...menu, ...change } }), { reason: "invalid" });
  });

  it("renders every spec so that it is read back the same, or refuses it", () => {
    const text = fc.oneof(
      fc.string({ maxLength: 20 }),
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.constantFrom("quiet", "a=b"),
    );
    fc.assert(
      fc.property(
        text,
        fc.option(text, { nil: undefined }),
        fc.array(text, { maxLength: 5 }),
        (kernel, initrd, commandLine) => {
          const spec: BootSpec = { label: "agent", kernel, ...(initrd !== undefined && { initrd }), commandLine };
          let rendered: string;
          try {
            rendered = renderPxelinux(spec);
          } catch (error) {
            assert.ok(error instanceof Failure);
            return;
          }
          const append = commandLine.length > 0 ? { append: commandLine.join(" ") } : {};
          assert.deepEqual(parseLikeUBoot(rendered).labels, [
            { name: "agent", kernel, ...(initrd !== undefined && { initrd }), ...append },
          ]);
        },
      ),
      { numRuns: 500 },
    );
  });
});

interface UBootLabel {
  name: string;
  kernel?: string;
  initrd?: string;
  fdt?: string;
  append?: string;
}

/** The grammar of U-Boot's boot/pxe_utils.c as far as these files use it, expansion of the command line included. */
function parseLikeUBoot(text: string) {
  const labels: UBootLabel[] = [];
  let defaultLabel: string | undefined;
  let timeoutTenths = 0;
  let prompt = false;
  for (const line of text.split("\n")) {
    const [, keyword = "", value = ""] = /^[ \t]*(\S*)[ \t]*(.*)$/s.exec(line) ?? [];
    const label = labels.at(-1);
    if (keyword === "" || keyword.startsWith("#")) continue;
    if (value.startsWith("#")) throw new Error("a comment where a value should be");
    switch (keyword.toLowerCase()) {
      case "default":
        defaultLabel = value;
        break;
      case "timeout":
        timeoutTenths = Number.parseInt(value, 10);
        break;
      case "menu":
        prompt = true;
        break;
      case "prompt":
        break;
      case "label":
        labels.push({ name: value });
        break;
      case "kernel":
        if (label !== undefined) label.kernel = value.split("#")[0] ?? "";
        break;
      case "initrd":
        if (label !== undefined) label.initrd ??= value;
        break;
      case "fdt":
        if (label !== undefined) label.fdt = value;
        break;
      case "append": {
        if (label === undefined) break;
        label.append = value.replaceAll(/\\(.)|\$\{?\w*\}?|'/g, "$1");
        const initrd = /initrd=(\S*)/.exec(value)?.[1];
        if (initrd !== undefined) label.initrd ??= initrd;
        break;
      }
      default:
        throw new Error(`U-Boot knows no keyword ${keyword}`);
    }
  }
  return { labels, defaultLabel, timeoutTenths, prompt };
}
