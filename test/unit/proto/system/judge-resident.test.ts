import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Failure } from "../../../../proto/failure.ts";
import { judgeResident, type ResidentHost, type ResidentProgram } from "../../../../proto/system/judge-resident.ts";
import { hostFrom, systemFactsOf } from "../../../../proto/system/system-facts.ts";
import { aHeader } from "./an-elf.ts";

const mebibyte = 1024 * 1024;
const loader = "/lib/ld-linux-aarch64.so.1";

describe("judgeResident", () => {
  const agent: ResidentProgram = {
    sizeBytes: 100 * mebibyte,
    program: { kind: "elf", elf: aHeader("arm64"), interpreter: loader },
  };
  const debian: ResidentHost = {
    traces: { init: "/usr/lib/systemd/systemd", systemd: "/usr/lib/systemd/systemd", inittab: undefined },
    elf: aHeader("arm64"),
    loaders: { [loader]: true },
    freeBytes: 104 * mebibyte,
  };
  const alpine = { init: "/bin/busybox", systemd: undefined, inittab: "::sysinit:/sbin/openrc sysinit\n" };
  const script: ResidentProgram = { ...agent, program: { kind: "script" } };
  const isStatic: ResidentProgram = {
    ...agent,
    program: { kind: "elf", elf: aHeader("arm64"), interpreter: undefined },
  };
  type Row = readonly [title: string, resident: ResidentProgram | undefined, host: Partial<ResidentHost>];

  /** What the agent says on the card, and what a plan says from the facts that the catalogue kept. */
  const sides = (resident: ResidentProgram | undefined, change: Partial<ResidentHost>): (Failure | undefined)[] => {
    const host = { ...debian, ...change };
    const { traces, elf, loaders, freeBytes } = host;
    const kept = JSON.parse(
      JSON.stringify(
        systemFactsOf(
          { traces, elf: elf && aHeader(elf.bits === 32 ? "arm" : elf.machine === 62 ? "x64" : "arm64"), loaders },
          freeBytes,
        ),
      ),
    );
    return [judgeResident(resident, host), judgeResident(resident, hostFrom(kept))];
  };

  const taken: readonly Row[] = [
    ["what fits, exactly", agent, {}],
    ["a script everywhere", script, { elf: undefined, loaders: { [loader]: false } }],
    ["a static program where there is no loader", isStatic, { loaders: { [loader]: false } }],
    ["a loader that nobody has looked for", agent, { loaders: {} }],
    ["an unknown program, in whatever can start one", undefined, { elf: aHeader("arm"), loaders: {}, freeBytes: 0 }],
    ["an unknown number of free bytes", agent, { freeBytes: undefined }],
    ["busybox's init with an inittab", agent, { traces: alpine }],
  ];
  for (const [title, resident, host] of taken)
    it(`takes ${title}, on the card and in a plan`, () =>
      assert.deepEqual(sides(resident, host), [undefined, undefined]));

  const refused: readonly (readonly [...Row, reason: string, message: RegExp])[] = [
    ["a 32-bit system", agent, { elf: aHeader("arm") }, "unsupported", /32-bit ARM system.*use the 64-bit image/],
    ["another machine", agent, { elf: aHeader("x64") }, "unsupported", /64-bit x86-64 system.*64-bit ARM64/],
    ["an unknown system", agent, { elf: undefined }, "unsupported", /it is unknown whether/],
    [
      "what is no program",
      { ...agent, program: { kind: "other" } },
      {},
      "unsupported",
      /neither an ELF file nor a script/,
    ],
    ["no program at all", { sizeBytes: 0, program: { kind: "none" } }, {}, "unsupported", /--resident-program/],
    ["another C library", agent, { traces: alpine, loaders: { [loader]: false } }, "unsupported", /glibc/],
    [
      "no init system",
      undefined,
      { traces: { init: "/bin/sh", systemd: undefined, inittab: undefined } },
      "unsupported",
      /no init system/,
    ],
    [
      "a full one",
      agent,
      { freeBytes: 104 * mebibyte - 1 },
      "too-small",
      /it is 100 MiB, 104 MiB are free, 1 MiB more are needed/,
    ],
    ["a nearly full one", agent, { freeBytes: 30 * mebibyte }, "too-small", /74 MiB more are needed/],
  ];
  for (const [title, resident, host, reason, message] of refused)
    it(`refuses ${title} on the card and in a plan, naming --no-resident`, () => {
      const [onCard, planned] = sides(resident, host);
      assert.ok(onCard instanceof Failure && onCard.reason === reason);
      assert.match(onCard.message, message);
      assert.match(onCard.message, /--no-resident/);
      assert.deepEqual(
        [planned?.reason, planned?.message, planned?.evidence],
        [onCard.reason, onCard.message, onCard.evidence],
      );
    });
});
