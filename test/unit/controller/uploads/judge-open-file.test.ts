import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judgeOpenFile } from "../../../../controller/uploads/judge-open-file.ts";

/** As Linux 6.18 prints them. */
const fdinfo = (flags: string, mount = "27"): string => `pos:\t0\nflags:\t${flags}\nmnt_id:\t${mount}\nino:\t1196050\n`;
const mountinfo = [
  "22 27 0:21 / /proc rw,relatime - proc proc rw",
  "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw,discard",
  "270 27 0:50 / /mnt/a\\040-\\040ext4 rw shared:2 master:3 - fuse.sshfs pi@host:/ rw",
  "271 27 0:51 / /net rw - nfs4 server:/images rw",
  "",
].join("\n");

describe("an open file that was handed over", () => {
  const cases: readonly (readonly [string, string, RegExp | undefined])[] = [
    ["opened for reading", fdinfo("02100000"), undefined],
    ["opened for reading and writing", fdinfo("0100002"), undefined],
    ["opened for writing alone", fdinfo("0100001"), /not opened for reading/],
    ["opened as a path, which takes no right to read", fdinfo("012000000"), /not opened for reading/],
    ["opened in a way that nobody knows", fdinfo("0100003"), undefined],
    ["on a filesystem that is a program", fdinfo("0100000", "270"), /fuse\.sshfs, which may keep a reader waiting/],
    ["on a server", fdinfo("0100000", "271"), /nfs4/],
    ["of a kernel's own filesystem", fdinfo("0100000", "22"), /proc/],
    ["on a mount that is not here", fdinfo("0100000", "2"), /not mounted where the controller runs/],
    ["of which the kernel says nothing", "", /does not say how it was opened/],
    ["without a mount", "flags:\t0100000\n", /not mounted where/],
  ];
  for (const [title, info, problem] of cases)
    it(`is ${problem === undefined ? "read" : "not read"}: ${title}`, () => {
      const found = judgeOpenFile({ fdinfo: info, mountinfo });
      if (problem === undefined) assert.equal(found, undefined);
      else assert.match(found ?? "", problem);
    });
});
