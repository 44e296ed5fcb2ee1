// Images that are not as a system should be, on a real filesystem: each is refused by name, or takes the config; none keeps
// the agent waiting, nothing is written elsewhere, and nothing stays mounted.
import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { execa } from "execa";
import { customise } from "../../../../agent/customise/customise.ts";
import { Failure } from "../../../../proto/failure.ts";
import type { SystemConfig } from "../../../../proto/system/system-config.ts";
import { requires } from "../../../requirements.ts";
import { aDiskWithSystem, root, stamp } from "./a-disk-with-system.ts";
import { aRootFilesystem } from "./a-root-filesystem.ts";

const config: SystemConfig = {
  hostname: "pi-7.rack",
  users: [{ name: "anna", authorizedKeys: ["ssh-ed25519 AAAA anna@desk"] }],
  files: [{ path: "/srv/app/file", content: { kind: "file", bytes: Buffer.alloc(100_000, "x") } }],
};

/** What is other about a system: in the folder that it is made of, and then in the filesystem. */
interface Oddity {
  readonly what: string;
  readonly fill?: (content: string) => Promise<unknown>;
  readonly change?: (mounted: string) => Promise<unknown>;
  readonly unmounted?: (filesystem: string) => Promise<unknown>;
  readonly config?: SystemConfig;
  /** Undefined: it takes the config. */
  readonly refusal?: RegExp;
  /** Whether something may have been written when it is refused: there is no partition table then. */
  readonly isLate?: boolean;
}

const mknod = (...args: readonly string[]) => execa("mknod", args);
const replaced =
  (at: string, ...node: readonly string[]) =>
  async (content: string) => {
    await rm(path.join(content, at), { force: true, recursive: true });
    await mknod(path.join(content, at), ...node);
  };
const linked = (at: string, target: string) => async (content: string) => {
  await rm(path.join(content, at), { force: true, recursive: true });
  await symlink(target, path.join(content, at));
};
const immutable = (at: string) => (mounted: string) => execa("chattr", ["+i", path.join(mounted, at)]);

const oddities: readonly Oddity[] = [
  { what: "a system without oddities" },
  {
    what: "/etc that is a link to /",
    fill: linked("etc", "/"),
    refusal: /no \/sbin\/init|link at \/etc, which leads to "\/"/,
  },
  {
    what: "/home that leads out",
    fill: linked("home", "../../../../../../tmp"),
    refusal: /link at \/home, which leads to/,
  },
  {
    what: "/srv that leads to a folder of ours",
    fill: linked("srv", os.tmpdir()),
    refusal: /link at \/srv, which leads to/,
  },
  {
    what: "links that lead to each other",
    fill: async (content) => {
      await symlink("/a2", path.join(content, "a1"));
      await symlink("/a1", path.join(content, "a2"));
      await linked("etc/hosts", "/a1")(content);
    },
    refusal: /link at \/etc\/hosts that leads nowhere/,
  },
  { what: "a FIFO as /etc/hosts", fill: replaced("etc/hosts", "p"), refusal: /no regular file at \/etc\/hosts/ },
  { what: "a FIFO as /etc/passwd", fill: replaced("etc/passwd", "p"), refusal: /no regular file at \/etc\/passwd/ },
  {
    what: "a device as /etc/machine-id",
    fill: replaced("etc/machine-id", "c", "1", "3"),
    refusal: /no regular file at \/etc\/machine-id/,
  },
  {
    what: "a folder as /etc/passwd",
    fill: async (content) => {
      await rm(path.join(content, "etc/passwd"));
      await mkdir(path.join(content, "etc/passwd"));
    },
    refusal: /no regular file at \/etc\/passwd/,
  },
  { what: "a FIFO where a file is written", fill: replaced("etc/hostname", "p") },
  { what: "a disk where a file is written", fill: replaced("etc/hostname", "b", "7", "0") },
  { what: "a FIFO among the host keys", fill: replaced("etc/ssh/ssh_host_rsa_key", "p") },
  { what: "a FIFO in /etc/skel", fill: replaced("etc/skel/pipe", "p") },
  { what: "a FIFO as a unit", fill: replaced("usr/lib/systemd/system/odd.service", "p") },
  {
    what: "a /etc/skel of very many files",
    fill: async (content) => {
      for (let count = 0; count < 501; count++) await writeFile(path.join(content, `etc/skel/${count}`), "");
    },
    refusal: /\/etc\/skel of the image has more than 500 files/,
  },
  {
    what: "a passwd of noise",
    fill: (content) => writeFile(path.join(content, "etc/passwd"), Buffer.from([0xff, 0xfe, 0x80])),
    refusal: /\/etc\/passwd of the image is not UTF-8/,
  },
  {
    what: "a passwd that another user has in parts",
    fill: (content) => writeFile(path.join(content, "etc/passwd"), "anna\nanna:x\nroot:x:0:0:root:/root:/bin/bash\n"),
  },
  {
    what: "an immutable passwd",
    change: immutable("etc/passwd"),
    refusal: /\/etc\/passwd of the new system.*immutable.*chattr -i/,
    isLate: true,
  },
  {
    what: "an immutable /etc",
    change: immutable("etc"),
    refusal: /of the new system.*immutable.*chattr -i/,
    isLate: true,
  },
  {
    what: "a filesystem that is full",
    change: (mounted) =>
      execa("dd", ["if=/dev/zero", `of=${mounted}/filler`, "bs=64K", "status=none"], { reject: false }),
    refusal: /no room for what the profile says: \d+ bytes are needed, \d+ are free/,
  },
  {
    what: "a filesystem without free inodes",
    change: (mounted) =>
      execa("sh", ["-c", 'cd "$1" && i=0; while : > "f$i"; do i=$((i+1)); done 2>/dev/null || true', "sh", mounted], {
        reject: false,
      }),
    refusal: /no room for \d+ more files: it has inodes for \d+/,
  },
  {
    what: "a filesystem that is read-only by itself",
    unmounted: (filesystem) => execa("tune2fs", ["-O", "read-only", filesystem]),
    refusal: /read-only/,
  },
  {
    what: "a filesystem whose folders are damaged",
    unmounted: async (filesystem) => {
      await execa("debugfs", ["-w", "-R", "set_inode_field /etc block[0] 0x7fffffff", filesystem]);
      await execa("debugfs", ["-w", "-R", "clri /etc", filesystem]);
    },
    refusal: /its filesystem is damaged: check it in the image/,
    isLate: true,
  },
  {
    what: "more files than there is room for",
    config: {
      files: Array.from(
        { length: 20 },
        (_, index) => ({ path: `/srv/${index}`, content: { kind: "file", bytes: Buffer.alloc(1024 * 1024) } }) as const,
      ),
    },
    refusal: /no room for what the profile says/,
  },
];

describe("customising", requires("root", "loop devices"), () => {
  for (const { what, fill, change, unmounted, config: other = config, refusal, isLate = false } of oddities)
    it(`${refusal === undefined ? "takes" : "refuses"} ${what}`, async (test) => {
      const disk = await aDiskWithSystem(test, root, async (content) => {
        const system = await aRootFilesystem(test, "debian", {
          "/srv/.keep": "",
          "/etc/hosts": "127.0.0.1 localhost\n",
        });
        await cp(system, content, { recursive: true, verbatimSymlinks: true });
        await fill?.(content);
      });
      const filesystem = `${disk.path}?offset=${root.offsetBytes}`;
      if (change !== undefined) await mounted(disk.path, "rw", change);
      await unmounted?.(filesystem);
      const before = isLate || unmounted ? "" : await mounted(disk.path, "ro", digestOf);
      const outside = await readFile("/etc/hostname", "utf8");

      const done = customise({ device: disk.path, root, stamp, resident: false, system: other });
      if (refusal === undefined) {
        await done;
        assert.equal(
          await mounted(disk.path, "ro", (folder) => readFile(path.join(folder, "etc/hostname"), "utf8")),
          "pi-7.rack\n",
        );
      } else {
        await assert.rejects(done, (error: unknown) => {
          assert.ok(error instanceof Failure, String(error));
          assert.match(error.message, refusal);
          return true;
        });
        if (before !== "") assert.equal(await mounted(disk.path, "ro", digestOf), before, "something was written");
      }
      assert.equal(await readFile("/etc/hostname", "utf8"), outside);
      assert.doesNotMatch(
        await readFile("/proc/self/mountinfo", "utf8"),
        new RegExp(`${path.basename(disk.path)}[ -]`),
      );
    });
});

async function mounted<Made>(
  device: string,
  access: "ro" | "rw",
  use: (folder: string) => Promise<Made>,
): Promise<Made> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-odd-"));
  const options = `${access},loop,offset=${root.offsetBytes},sizelimit=${root.lengthBytes}`;
  await execa("mount", ["-t", "ext4", "-o", options, device, folder]);
  try {
    return await use(folder);
  } finally {
    await execa("umount", [folder]);
    await rm(folder, { recursive: true });
  }
}

/** Of everything in it: names, kinds, owners, bits, times and content. */
async function digestOf(folder: string): Promise<string> {
  const { stdout } = await execa("sh", [
    "-c",
    'tar -C "$1" --sort=name --numeric-owner -cf - . | sha256sum',
    "sh",
    folder,
  ]);
  return stdout;
}
