import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkLabel } from "../../../../proto/disk/filesystem-label.ts";

describe("checkLabel", () => {
  const fitting: readonly ["vfat" | "ext4", string][] = [
    ["vfat", ""],
    ["vfat", "BOOTFS"],
    ["vfat", "my card 123"],
    ["vfat", "a-b_c~1!"],
    ["ext4", ""],
    ["ext4", "0123456789abcdef"],
    ["ext4", " root/fs ü "],
  ];
  for (const [type, label] of fitting) it(`takes ${JSON.stringify(label)} for ${type}`, () => checkLabel(type, label));

  const unfit: readonly ["vfat" | "ext4", string, RegExp][] = [
    ["vfat", "twelve chars", /12 characters, but the maximum is 11/],
    ["vfat", "böot", /must be ASCII/],
    ["vfat", "a/b", /contains the character \//],
    ["vfat", "a*b", /contains the character \*/],
    ["vfat", "a\\b", /contains the character \\/],
    ["vfat", " boot", /starts or ends with a space/],
    ["vfat", "boot ", /starts or ends with a space/],
    ["vfat", "a\nb", /control character/],
    ["ext4", "0123456789abcdefg", /17 bytes, but the maximum is 16/],
    ["ext4", "üüüüüüüüü", /18 bytes/],
    ["ext4", "a\0b", /control character/],
    ["ext4", "a\u0085b", /control character/],
  ];
  for (const [type, label, message] of unfit) {
    it(`refuses ${JSON.stringify(label)} for ${type}`, () => {
      assert.throws(() => checkLabel(type, label), { reason: "invalid", message });
    });
  }
  it("repeats no more of a label than a message bears", () => {
    assert.throws(
      () => checkLabel("vfat", "x".repeat(9_000)),
      ({ message }: Error) => message.length < 200,
    );
  });
});
