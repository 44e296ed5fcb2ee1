import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { expandIncludes } from "../../../../../controller/images/boot/expand-includes.ts";
import { type FirmwareConfig, parseConfigTxt } from "../../../../../controller/images/boot/parse-config-txt.ts";
import { type PiBoard, piBoards } from "../../../../../controller/images/catalogue/pi-board.ts";

const defaults: FirmwareConfig = {
  osPrefix: "",
  overlayPrefix: "overlays/",
  initramfs: [],
  autoInitramfs: false,
  commandLineFile: "cmdline.txt",
};

describe("what config.txt says", () => {
  const says: readonly (readonly [string, string, Partial<FirmwareConfig>])[] = [
    ["nothing", "# nothing\n\n", {}],
    ["the last of several settings, spaces and case aside", "kernel=a\nKERNEL = b\r\n", { kernel: "b" }],
    ["several initrds", "initramfs one,two 0x00800000\n", { initramfs: ["one", "two"] }],
    ["an initrd behind the kernel", "initramfs init.gz followkernel\n", { initramfs: ["init.gz"] }],
    ["initrds without an address", "ramfsfile=one,two\n", { initramfs: ["one", "two"] }],
    ["the initrd that belongs to the kernel", "auto_initramfs=1\n", { autoInitramfs: true }],
    ["64 bits", "arm_64bit=1\n", { arm64: true }],
    ["32 bits", "arm_64bit=0\n", { arm64: false }],
    [
      "a kernel whose name is that of a 64-bit one",
      "arm_64bit=0\nkernel=kernel8.img\n",
      { kernel: "kernel8.img", arm64: true },
    ],
    ["a kernel whose name is that of a 32-bit one", "kernel=Kernel7l.IMG\n", { kernel: "Kernel7l.IMG", arm64: false }],
    ["prefixes", "os_prefix=current/\noverlay_prefix=more/\n", { osPrefix: "current/", overlayPrefix: "more/" }],
    ["a mainline kernel", "upstream_kernel=1\n", { osPrefix: "upstream/" }],
    ["a mainline kernel in another folder", "upstream_kernel=1\nos_prefix=x/\n", { osPrefix: "x/" }],
    ["another command line, as the firmware takes it too", "cmdline other.txt\n", { commandLineFile: "other.txt" }],
    ["no more than 98 characters of a line", `kernel=${"k".repeat(91)}.img\n`, { kernel: "k".repeat(91) }],
    ["a comment", "#kernel=a\n  # kernel=b\n", {}],
  ];
  for (const [title, text, expected] of says)
    it(`is ${title}`, () => assert.deepEqual(parseConfigTxt(text).forBoard("pi4"), { ...defaults, ...expected }));

  it("names files whatever the board", () => {
    const text =
      "[pi5]\nkernel=a\n[pi4]\ninitramfs b,c followkernel\n[0x1234]\narmstub=d\n[all]\narmstub=e\ncmdline=f\n";
    assert.deepEqual(parseConfigTxt(text).namedFiles, ["a", "b", "c", "e", "f"]);
  });
});

describe("filters of config.txt", () => {
  const all = [...piBoards];
  const but = (...without: PiBoard[]) => all.filter((board) => !without.includes(board));
  const holds: readonly (readonly [string, readonly PiBoard[]])[] = [
    ["", all],
    ["[pi2]", ["pi2"]],
    ["[pi3]", ["pi3", "pi3+", "cm3", "cm3+"]],
    ["[pi3+]", ["pi3+", "cm3+"]],
    ["[PI4]", ["pi4", "pi400", "cm4", "cm4s"]],
    ["[cm4]", ["cm4"]],
    ["[pi400]", ["pi400"]],
    ["[pi5]", ["pi5", "pi500", "cm5"]],
    ["[cm5]", ["cm5"]],
    ["[pi0]", ["pi02"]],
    ["[pi02]", ["pi02"]],
    ["[pi1]", []],
    ["[pi6]", []],
    ["[board-type=0x14]", ["cm4"]],
    ["[board-type=0x17]", ["pi5"]],
    ["[board-type=0xff]", []],
    ["[none]", []],
    ["[none]\n[pi4]", []],
    ["[none]\n[all]", all],
    ["[pi3]\n[pi4]", ["pi4", "pi400", "cm4", "cm4s"]],
    ["[cm4]\n[board-type=0x11]", ["pi4"]],
    ["[gpio4=1]", []],
    ["[gpio4=1]\n[pi4]", []],
    ["[pi4]\n[gpio4=1]\n[all]", all],
    ["[EDID=VSC-TD2220]", []],
    ["[0x12345678]", []],
    ["[tryboot]", []],
    ["[HDMI:1]", all],
  ];
  for (const [filters, boards] of holds) {
    it(`${JSON.stringify(filters)} hold on ${boards.length === all.length ? "every board" : boards.join(", ") || "none"}`, () => {
      const config = parseConfigTxt(`${filters}\nkernel=k\n`);
      assert.deepEqual(
        all.filter((board) => config.forBoard(board).kernel === "k"),
        boards,
      );
    });
  }
  it("let a later line win where both hold", () => {
    const config = parseConfigTxt("kernel=a\n[pi4]\nkernel=b\n[cm4]\nkernel=c\n[all]\n");
    const kernelOf = (board: PiBoard) => config.forBoard(board).kernel;
    assert.deepEqual([kernelOf("pi3"), kernelOf("pi4"), kernelOf("cm4")], ["a", "b", "c"]);
    assert.deepEqual(
      but("pi4", "pi400", "cm4", "cm4s").map(kernelOf),
      Array.from({ length: 9 }, () => "a"),
    );
  });
  it("count for U-Boot where nothing is unconditional and its boards agree", () => {
    const kernelOf = (text: string) => parseConfigTxt(text).forUBoot().kernel;
    assert.equal(kernelOf("[pi4]\nkernel=a\n[all]\nkernel=b\n"), "b");
    assert.equal(kernelOf("[pi3]\nkernel=a\n[pi4]\nkernel=a\n[pi5]\nkernel=b\n"), "a");
    assert.equal(kernelOf("[pi3]\nkernel=a\n[pi4]\nkernel=b\n"), undefined);
  });
});

describe("included files", () => {
  const files: Record<string, string> = {
    "usercfg.txt": "dtparam=audio=on\n[pi4]\n",
    "a.txt": "include b.txt\nkernel=a",
    "b.txt": "kernel=b\ninclude missing.txt",
    "loop.txt": "kernel=loop\ninclude loop.txt",
  };
  const expand = (text: string) => expandIncludes(text, async (name) => files[name.toLowerCase()]);

  it("stand in the place of the line, with their filters, whatever the case of the name", async () => {
    const { text, included } = await expand("[all]\ninclude UserCfg.txt\nkernel=x\n");
    assert.deepEqual(included, ["UserCfg.txt"]);
    const config = parseConfigTxt(text);
    assert.deepEqual([config.forBoard("pi3").kernel, config.forBoard("pi4").kernel], [undefined, "x"]);
  });
  it("may include others, and need not be there", async () => {
    const { text, included } = await expand("include a.txt");
    assert.deepEqual(included, ["a.txt", "b.txt", "missing.txt"]);
    assert.equal(parseConfigTxt(text).forBoard("pi3").kernel, "a");
  });
  it("end when they include themselves", async () => {
    const { included } = await expand("include loop.txt\n".repeat(50));
    assert.ok(included.length <= 64, `${included.length}`);
  });
});
