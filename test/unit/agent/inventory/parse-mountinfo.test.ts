import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseMountinfo, rootMount } from "../../../../agent/inventory/parse-mountinfo.ts";

const rootOf = (...lines: string[]) => rootMount(parseMountinfo(`${lines.join("\n")}\n`));

describe("parseMountinfo and rootMount", () => {
  const roots: readonly [string, readonly string[], object][] = [
    [
      "a Pi that runs from its card",
      [
        "22 26 0:20 / /proc rw,relatime shared:12 - proc proc rw",
        "26 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw",
        "40 26 179:1 / /boot/firmware rw,relatime shared:20 - vfat /dev/mmcblk0p1 rw,fmask=0022",
      ],
      { deviceNumber: "179:2", mountpoint: "/", filesystemType: "ext4", source: "/dev/mmcblk0p2" },
    ],
    [
      "a kernel that calls it /dev/root",
      ["15 0 179:2 / / rw,noatime - ext4 /dev/root rw,data=ordered"],
      { deviceNumber: "179:2", mountpoint: "/", filesystemType: "ext4", source: "/dev/root" },
    ],
    [
      "a node on NFS",
      ["20 1 0:18 / / ro,relatime - nfs 10.77.0.1:/srv/rootfs ro,vers=3,addr=10.77.0.1"],
      { deviceNumber: "0:18", mountpoint: "/", filesystemType: "nfs", source: "10.77.0.1:/srv/rootfs" },
    ],
    [
      "an overlay mounted over the first root",
      [
        "1 1 0:2 / / rw - rootfs rootfs rw",
        "21 1 0:25 / / rw,relatime - overlay overlay rw,lowerdir=/ro,upperdir=/rw/upper,workdir=/rw/work",
        "22 21 0:26 / /mnt rw - tmpfs tmpfs rw",
      ],
      { deviceNumber: "0:25", mountpoint: "/", filesystemType: "overlay", source: "overlay" },
    ],
    [
      "optional fields of any number, and a source with a space",
      ["27 1 8:1 / / rw shared:1 master:2 propagate_from:3 - ext4 /dev/disk\\040one rw"],
      { deviceNumber: "8:1", mountpoint: "/", filesystemType: "ext4", source: "/dev/disk one" },
    ],
  ];
  for (const [title, lines, root] of roots)
    it(`finds the root of ${title}`, () => assert.deepEqual(rootOf(...lines), root));

  it("undoes octal escapes, also of UTF-8", () => {
    const [mount] = parseMountinfo("1 2 8:1 / /mnt/a\\040b\\011c\\134d/\\303\\274ü rw - ext4 /dev/sda1 rw");
    assert.equal(mount?.mountpoint, "/mnt/a b\tc\\d/üü");
  });

  it("leaves out lines of another shape", () => {
    assert.deepEqual(parseMountinfo("\n27 1 8:1 / / rw shared:1 ext4\nnonsense\n27 1 8:1 / / rw -\n"), []);
    assert.equal(rootOf(""), undefined);
  });
});
