import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  parseControlGroupMount,
  parseCpuSeconds,
  parseDeviceStat,
  parseLinkBytes,
  parsePeakResidentBytes,
} from "../../../../scripts/bench/measure/parse-counters.ts";
import { median, medians } from "../../../../scripts/bench/measure/statistics.ts";

describe("counters of the kernel", () => {
  it("count what a device has read and written in sectors of 512 bytes", () => {
    const stat = "  339696    14139 98853526   252324    99177   540702 86526368   388383        0   235808   673550\n";
    assert.deepEqual(parseDeviceStat(stat), { readBytes: 98_853_526 * 512, writtenBytes: 86_526_368 * 512 });
    assert.throws(() => parseDeviceStat("1 2 3\n"), /stat file/);
    assert.throws(() => parseDeviceStat("no such device"), /stat file/);
  });

  it("count a control group's CPU time in microseconds", () => {
    assert.equal(parseCpuSeconds("usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n"), 2.5);
    assert.throws(() => parseCpuSeconds("user_usec 1\n"), /cpu\.stat/);
  });

  it("tell the largest resident set in kibibytes", () => {
    assert.equal(
      parsePeakResidentBytes("Name:\tnode\nVmPeak:\t  999 kB\nVmHWM:\t  2048 kB\nVmRSS:\t 1 kB\n"),
      2 * 1024 ** 2,
    );
    assert.throws(() => parsePeakResidentBytes("Name:\tkthreadd\n"), /VmHWM/);
  });

  it("tell a link's bytes in both directions", () => {
    const json = '[{"ifname":"eth0","stats64":{"rx":{"bytes":7,"packets":1},"tx":{"bytes":5,"packets":1}}}]';
    assert.deepEqual(parseLinkBytes(json), { receivedBytes: 7, sentBytes: 5 });
    assert.throws(() => parseLinkBytes("[]"), /statistics/);
  });

  it("are found where cgroup v2 is mounted, alone or beside the first version", () => {
    const alone = "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n";
    const beside =
      "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
    assert.equal(parseControlGroupMount(alone), "/sys/fs/cgroup");
    assert.equal(parseControlGroupMount(beside), "/sys/fs/cgroup/unified");
    assert.equal(parseControlGroupMount("proc /proc proc rw 0 0\n"), undefined);
  });
});

describe("medians", () => {
  it("are the middle value, or the mean of the two middle ones, in any order", () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.equal(median([10, 9]), 9.5);
    assert.throws(() => median([]));
  });

  it("are taken of each figure by itself, and only of the runs that have it", () => {
    assert.deepEqual(medians([{ wall: 1, cpu: 9 }, { wall: 3 }, { wall: 2 }]), { wall: 2, cpu: 9 });
    assert.deepEqual(medians([]), {});
  });
});
