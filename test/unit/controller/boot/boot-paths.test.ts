import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type BootPath, parseBootPath } from "../../../../controller/boot/boot-paths.ts";
import { digest, mac } from "./a-node.ts";

const config: BootPath = { kind: "node-config", mac };
const none = (form: "uuid" | "address" | "default" | "unknown"): BootPath => ({ kind: "no-config", form });
const file = (...candidates: [string, ...string[]]): BootPath => ({ kind: "file", candidates });

describe("boot paths", () => {
  const cases: readonly [request: string, meaning: BootPath][] = [
    ["pxelinux.cfg/01-b8-27-eb-00-00-01", config],
    ["pxelinux.cfg/01-B8-27-EB-00-00-01", config],
    ["pxelinux.cfg/01-b8:27:eb:00:00:01", config],
    ["pxelinux.cfg/01-b827eb000001", config],
    ["/pxelinux.cfg/01-b8-27-eb-00-00-01", config],
    ["//./pxelinux.cfg//01-b8-27-eb-00-00-01", config],
    ["\\pxelinux.cfg\\01-b8-27-eb-00-00-01", config],
    ["boot/pxelinux.cfg/01-b8-27-eb-00-00-01", config],
    ["5e1fabcd/pxelinux.cfg/01-b8-27-eb-00-00-01", config],
    ["pxelinux.cfg/01-b8-27-eb-00-00", none("unknown")],
    ["pxelinux.cfg/01-b8-27-eb-00-00-01-02", none("unknown")],
    ["pxelinux.cfg/01-ff-ff-ff-ff-ff-ff", none("unknown")],
    ["pxelinux.cfg/01-00-00-00-00-00-00", none("unknown")],
    ["pxelinux.cfg/06-b8-27-eb-00-00-01", none("unknown")],
    ["pxelinux.cfg/b8945908-d6a6-41a9-611d-74a6ab80b83d", none("uuid")],
    ["pxelinux.cfg/0A4D0001", none("address")],
    ["pxelinux.cfg/0A4D000", none("address")],
    ["pxelinux.cfg/0", none("address")],
    ["pxelinux.cfg/default-arm-bcm283x", none("default")],
    ["pxelinux.cfg/default-arm", none("default")],
    ["pxelinux.cfg/default", none("default")],
    ["pxelinux.cfg/menu.c32", none("unknown")],
    [`images/${digest}/vmlinuz`, { kind: "image-file", digest, file: "vmlinuz" }],
    [`/5e1fabcd/images/${digest}/overlays/a.dtbo`, { kind: "image-file", digest, file: "overlays/a.dtbo" }],
    [`images/${digest}`, file(`images/${digest}`)],
    [`images/${digest.toUpperCase()}/vmlinuz`, file(`images/${digest.toUpperCase()}/vmlinuz`)],
    ["bootcode.bin", file("bootcode.bin")],
    ["agent/vmlinuz", file("agent/vmlinuz")],
    ["/agent//./vmlinuz", file("agent/vmlinuz")],
    ["5e1fabcd/start4.elf", file("5e1fabcd/start4.elf", "start4.elf")],
    ["5E1FABCD/overlays/a.dtbo", file("5E1FABCD/overlays/a.dtbo", "overlays/a.dtbo")],
    ["dc-a6-32-01-02-03/start4.elf", file("dc-a6-32-01-02-03/start4.elf", "start4.elf")],
    ["5e1fabcd", file("5e1fabcd")],
    ["5e1fabcde/start4.elf", file("5e1fabcde/start4.elf")],
    ["a file with spaces", file("a file with spaces")],
    ["..a/b..", file("..a/b..")],
  ];
  for (const [request, meaning] of cases)
    it(`reads ${request}`, () => assert.deepEqual(parseBootPath(request), meaning));

  for (const request of [
    "",
    "/",
    "./.",
    "..",
    "../etc/passwd",
    "a/../../etc/passwd",
    "..\\..\\etc\\passwd",
    "pxelinux.cfg/../01-b8-27-eb-00-00-01",
    "a\0b",
    "a\nb",
    "a".repeat(513),
  ])
    it(`refuses ${JSON.stringify(request.slice(0, 60))}`, () => assert.equal(parseBootPath(request).kind, "refused"));

  it("never gives a path that leads up or is absolute, whatever it is asked for", () => {
    const piece = fc.constantFrom("..", ".", "/", "\\", "a", "5e1fabcd", "images", digest, "pxelinux.cfg", "\0", " ");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
        const meaning = parseBootPath(pieces.join(""));
        const paths =
          meaning.kind === "file" ? meaning.candidates : meaning.kind === "image-file" ? [meaning.file] : [];
        for (const path of paths)
          assert.ok(
            path.split("/").every((part) => !["", ".", ".."].includes(part)),
            path,
          );
      }),
      { numRuns: 1000 },
    );
  });
});
