import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { checkFit, type Fit } from "../../../../agent/customise/check-fit.ts";
import { findInterpreter, parseElfHeader } from "../../../../agent/customise/elf.ts";
import { chooseInitSystem } from "../../../../agent/customise/init-system.ts";
import { addToInittab } from "../../../../agent/customise/inittab.ts";
import { renderUnit } from "../../../../agent/customise/render-unit.ts";
import { residentFiles } from "../../../../agent/customise/resident-files.ts";
import { Failure } from "../../../../proto/failure.ts";
import { anElf } from "./an-elf.ts";

const MIB = 1024 * 1024;

describe("chooseInitSystem", () => {
  for (const [init, inittab, chosen] of [
    ["/usr/lib/systemd/systemd", undefined, "systemd"],
    ["/lib/systemd/systemd", "", "systemd"],
    ["/bin/busybox", "", "busybox"],
    ["/usr/bin/busybox-static", "", "busybox"],
    ["/usr/sbin/init", "", "sysvinit"],
  ] as const) {
    it(`takes ${init}${inittab === undefined ? "" : " with /etc/inittab"} for ${chosen}`, () => {
      assert.equal(chooseInitSystem({ init, inittab }), chosen);
    });
  }

  for (const [init, inittab] of [
    [undefined, undefined],
    [undefined, ""],
    ["/bin/busybox", undefined],
    ["/usr/sbin/init", undefined],
    ["/usr/bin/openrc-init", ""],
    ["/usr/bin/runit-init", undefined],
    ["/nix/store/abc-stage-2-init.sh", undefined],
  ] as const) {
    it(`refuses ${init ?? "no init"}${inittab === undefined ? "" : " with /etc/inittab"}, naming --no-resident`, () => {
      assert.throws(() => chooseInitSystem({ init, inittab }), { reason: "unsupported", message: /--no-resident/ });
    });
  }
});

describe("addToInittab", () => {
  const command = "/usr/lib/pallet/agent --role resident";

  for (const [title, system, before, after] of [
    ["busybox", "busybox", "::sysinit:/x\n", `::sysinit:/x\n::respawn:${command}\n`],
    ["System V", "sysvinit", "id:2:initdefault:\n\n", `id:2:initdefault:\nplt:2345:respawn:${command}\n`],
    ["a file without a final line break", "busybox", "::sysinit:/x", `::sysinit:/x\n::respawn:${command}\n`],
    ["an empty file", "busybox", "", `::respawn:${command}\n`],
    [
      "an earlier line for the agent",
      "busybox",
      "# a\n::respawn:/usr/lib/pallet/agent --role resident --port 1\n::shutdown:/y\n",
      `# a\n::shutdown:/y\n::respawn:${command}\n`,
    ],
    [
      "a comment and another program with a similar name, which stay",
      "busybox",
      "# x:y:z:/usr/lib/pallet/agent\n::respawn:/usr/lib/pallet/agent-x\n",
      `# x:y:z:/usr/lib/pallet/agent\n::respawn:/usr/lib/pallet/agent-x\n::respawn:${command}\n`,
    ],
  ] as const) {
    it(`adds the line to the inittab of ${title}, once`, () => {
      assert.equal(addToInittab(before, system, command), after);
      assert.equal(addToInittab(after, system, command), after);
    });
  }
});

describe("residentFiles", () => {
  it("has systemd start the agent in the resident role, whenever it ends, with few privileges", () => {
    const [unit, enabled, ...others] = residentFiles("systemd", undefined);
    assert.deepEqual(others, []);
    assert.deepEqual(unit?.folders, ["etc", "systemd", "system"]);
    assert.deepEqual(enabled, {
      folders: ["etc", "systemd", "system", "multi-user.target.wants"],
      name: "pallet-agent.service",
      content: { linkTo: "../pallet-agent.service" },
    });
    const text = renderUnit("/usr/lib/pallet/agent --role resident");
    assert.deepEqual(unit?.content, { text });
    for (const line of [
      "ExecStart=/usr/lib/pallet/agent --role resident",
      "Restart=always",
      "StartLimitIntervalSec=0",
      "PrivateMounts=yes",
      "DeviceAllow=block-* r",
      "WantedBy=multi-user.target",
    ])
      assert.ok(text.split("\n").includes(line), line);
  });

  it("changes nothing but the inittab elsewhere", () => {
    const [file, ...others] = residentFiles("busybox", "::sysinit:/x\n");
    assert.deepEqual(others, []);
    assert.deepEqual(file?.folders, ["etc"]);
    assert.equal(file?.name, "inittab");
  });
});

describe("ELF headers", () => {
  it("are read of the program that runs this test", () => {
    const bytes = readFileSync(process.execPath);
    const header = parseElfHeader(bytes);
    assert.equal(header?.bits, 64);
    assert.equal(header?.machine, { x64: 62, arm64: 183 }[process.arch as "x64" | "arm64"]);
    const { offsetBytes, entryBytes, count } = header?.programHeaders ?? { offsetBytes: 0, entryBytes: 0, count: 0 };
    const place = header && findInterpreter(header, bytes.subarray(offsetBytes, offsetBytes + entryBytes * count));
    assert.ok(place);
    const loader = bytes.subarray(place.offsetBytes, place.offsetBytes + place.lengthBytes).toString();
    assert.match(loader, /^\/lib(64)?\/ld-linux-/);
  });

  for (const [title, bytes] of [
    ["an empty file", Buffer.alloc(0)],
    ["a script", Buffer.from("#!/bin/sh\n".padEnd(200))],
    ["a cut ELF", anElf({ machine: "arm64" }).subarray(0, 40)],
    ["an ELF for a big-endian machine", Buffer.from(anElf({ machine: "arm64" })).fill(2, 5, 6)],
  ] as const) {
    it(`are not found in ${title}`, () => assert.equal(parseElfHeader(bytes), undefined));
  }

  it("of a static program, or of a cut table, name no loader", () => {
    const program = anElf({ machine: "arm64" });
    const header = parseElfHeader(program);
    assert.ok(header);
    assert.equal(findInterpreter(header, program.subarray(64)), undefined);
    assert.equal(findInterpreter(header, Buffer.alloc(10)), undefined);
  });
});

describe("checkFit", () => {
  const header = (machine: "arm" | "arm64" | "x64") => parseElfHeader(anElf({ machine }));
  const fitting: Fit = {
    program: { sizeBytes: 100 * MIB, elf: header("arm64"), interpreter: "/lib/ld-linux-aarch64.so.1" },
    system: { elf: header("arm64"), hasInterpreter: true, freeBytes: 104 * MIB },
  };
  const change = (program: Partial<Fit["program"]>, system: Partial<Fit["system"]>): Fit => ({
    program: { ...fitting.program, ...program },
    system: { ...fitting.system, ...system },
  });

  it("takes what fits, exactly", () => checkFit(fitting));
  it("takes a script everywhere", () =>
    checkFit(change({ elf: undefined, interpreter: undefined }, { elf: undefined, hasInterpreter: false })));
  it("takes a static program where there is no loader", () =>
    checkFit(change({ interpreter: undefined }, { hasInterpreter: false })));

  for (const [title, fit, reason, message] of [
    ["a 32-bit system", change({}, { elf: header("arm") }), "unsupported", /32-bit ARM system.*take the 64-bit image/],
    ["another machine", change({}, { elf: header("x64") }), "unsupported", /64-bit x86-64 system.*64-bit ARM64/],
    ["an unknown system", change({}, { elf: undefined }), "unsupported", /cannot be told/],
    ["another C library", change({}, { hasInterpreter: false }), "unsupported", /glibc/],
    [
      "a full one",
      change({}, { freeBytes: 104 * MIB - 1 }),
      "too-small",
      /it is 100 MiB, 104 MiB are free, 1 MiB are missing/,
    ],
    ["a nearly full one", change({}, { freeBytes: 30 * MIB }), "too-small", /74 MiB are missing/],
  ] as const) {
    it(`refuses ${title}, naming --no-resident`, () => {
      assert.throws(
        () => checkFit(fit),
        (error) =>
          error instanceof Failure &&
          error.reason === reason &&
          message.test(error.message) &&
          error.message.includes("--no-resident"),
      );
    });
  }
});
