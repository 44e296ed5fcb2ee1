import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, afterEach, before, describe, it } from "node:test";
import { buildBootTree } from "../../../../controller/boot-tree/build-boot-tree.ts";
import { planBootTreeBuild } from "../../../../controller/boot-tree/plan-requirements.ts";
import { targetNames } from "../../../../controller/boot-tree/targets.ts";
import { planImagesCapture } from "../../../../controller/images/capture/plan-requirements.ts";
import { planImagesDerive } from "../../../../controller/images/derive/plan-requirements.ts";
import { createImageStore } from "../../../../controller/images/image-store.ts";
import { planImagesAdd } from "../../../../controller/images/import/plan-requirements.ts";
import { assertRequirements } from "../../../../controller/requirements/assert-requirements.ts";
import { findMissing, findUnmet } from "../../../../controller/requirements/find-unmet.ts";
import { renderUnmet } from "../../../../controller/requirements/render-unmet.ts";
import type { Requirements } from "../../../../controller/requirements/requirements.ts";
import { buildRootfs } from "../../../../controller/rootfs/build-rootfs.ts";
import { planRootfsBake, planRootfsBuild, planRootfsImport } from "../../../../controller/rootfs/plan-requirements.ts";
import { debianPackage, debianPackages, type Need } from "../../../../proto/linux/debian-package.ts";
import { systemPath } from "../../../../proto/linux/system-path.ts";
import { binariesRequirements } from "../../../../scripts/binaries/requirements.ts";
import { demoRequirements } from "../../../../scripts/demo/requirements.ts";

const mirror = "http://deb.debian.org/debian";

/** Every plan with the options that make it longest. */
const longest: readonly Requirements[] = [
  planRootfsBuild({ mirror, isBaseCached: false, isKernelCached: true, isAgentCompressed: false }),
  planRootfsImport({ format: "xz", netbootMirror: mirror }),
  planRootfsBake({ target: "image", netbootMirror: undefined }),
  planRootfsBake({ target: "folder", netbootMirror: mirror }),
  planBootTreeBuild({ mirror, isFetched: false, uncachedTargets: targetNames }),
  planImagesAdd({ formats: ["xz", "zstd"] }),
  planImagesDerive({ formats: ["xz"] }),
  planImagesCapture(),
  binariesRequirements,
  demoRequirements,
];

let folder: string;
const givenPath = process.env["PATH"];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "pallet-requirements-"));
});
afterEach(() => {
  process.env["PATH"] = givenPath;
});
after(() => rm(folder, { recursive: true }));

const programs = (needs: readonly Need[]) => [...new Set(needs)].filter((need) => !need.startsWith("/"));

/** A search path of one folder with these programs and nothing else. */
async function only(names: readonly string[]): Promise<void> {
  const bin = join(folder, "only");
  await rm(bin, { recursive: true, force: true });
  await mkdir(bin);
  for (const name of names) {
    await writeFile(join(bin, name), "#!/bin/sh\n");
    await chmod(join(bin, name), 0o755);
  }
  process.env["PATH"] = bin;
}

describe("what a command needs of this machine", () => {
  for (const requirements of longest) {
    const { command, needs } = requirements;
    it(`${command}: each of its programs is missed when it is not there, with its package, and it alone`, async () => {
      const all = programs(needs);
      for (const lacking of all) {
        await only(all.filter((name) => name !== lacking));
        const unmet = await findUnmet(requirements);
        assert.deepEqual(
          unmet.needs.filter((need) => !need.startsWith("/")),
          [lacking],
        );
        const packageName = debianPackage(lacking);
        const said = renderUnmet(requirements, { ...unmet, notRoot: false }, true);
        assert.match(said ?? "", new RegExp(`--no-install-recommends .*\\b${packageName}\\b`));
      }
    });

    it(`${command}: all that is missing is said at once, with one line that installs it`, async () => {
      await only([]);
      const line = `apt-get install -y --no-install-recommends ${debianPackages(await findMissing(needs)).join(" ")}`;
      await assert.rejects(assertRequirements(requirements), (error: Error) => {
        for (const name of programs(needs)) assert.match(error.message, new RegExp(`[ ,]${name}[,;]`));
        assert.equal(error.message.split("\n").filter((each) => each.endsWith(line)).length, 1, error.message);
        return true;
      });
    });
  }

  it("is known by package, which scripts/debian-packages lists too", async () => {
    const text = await readFile(join(import.meta.dirname, "../../../../scripts/debian-packages"), "utf8");
    const listed = new Set(text.split("\n").map((line) => line.split(/\s+/, 1)[0]));
    // What Debian with apt has by itself, and what brought the checkout here.
    const given = new Set(["apt", "ca-certificates", "debian-archive-keyring", "dpkg", "npm", "perl-base", "tar"]);
    const packages = debianPackages(longest.flatMap(({ needs }) => needs));
    assert.deepEqual(
      packages.filter((name) => !listed.has(name) && !given.has(name)),
      [],
    );
  });

  for (const [what, packages, absent] of [
    ["no compiler for what is cached", planBootTreeBuild({ mirror, isFetched: false, uncachedTargets: [] }), "gcc"],
    [
      "nothing of Debian's for what is cached",
      planRootfsBuild({ mirror, isBaseCached: true, isKernelCached: true, isAgentCompressed: true }),
      "mmdebstrap",
    ],
    [
      "certificate authorities for https only",
      planRootfsBuild({ mirror, isBaseCached: false, isKernelCached: true, isAgentCompressed: true }),
      "ca-certificates",
    ],
    ["xz for xz only", planRootfsImport({ format: "gzip", netbootMirror: undefined }), "xz-utils"],
    ["zstd for zstd only", planRootfsImport({ format: "xz", netbootMirror: mirror }), "zstd"],
    ["xz for xz only", planImagesAdd({ formats: ["raw"] }), "xz-utils"],
  ] as const)
    it(`${packages.command} wants ${what}`, () => {
      assert.ok(!debianPackages(packages.needs).includes(absent));
    });

  it("has certificate authorities where the mirror is reached by https", () => {
    const plan = planRootfsBuild({
      mirror: "https://deb.debian.org/debian",
      isBaseCached: false,
      isKernelCached: true,
      isAgentCompressed: true,
    });
    assert.ok(debianPackages(plan.needs).includes("ca-certificates"));
  });
});

describe("a builder on a machine that has nothing", () => {
  const log = (line: string) => assert.fail(`it began: ${line}`);
  for (const [name, build] of [
    [
      "rootfs build",
      (at: string) =>
        buildRootfs({ outDirectory: join(at, "out"), cacheDirectory: join(at, "cache"), agentFile: "/bin/sh", log }),
    ],
    [
      "boot-tree build",
      (at: string) =>
        buildBootTree({
          ...{ outDirectory: join(at, "out"), cacheDirectory: join(at, "cache"), targets: targetNames },
          ...{ rootfsDirectory: undefined, overwrite: false, suite: "bookworm", mirror, refresh: false, log },
        }),
    ],
    [
      "images add",
      async (at: string) => {
        const images = await createImageStore({ directory: at, log: { warn: (_, message) => log(message) } });
        const xz = Buffer.concat([Buffer.from("fd377a585a0000", "hex"), Buffer.alloc(40_000, 1)]);
        const source = (async function* () {
          yield xz;
          assert.fail("it went on receiving");
        })();
        return images.add({ name: "x", source, signal: new AbortController().signal });
      },
    ],
  ] as const)
    it(`${name} says so before it fetches or makes anything`, async () => {
      const at = await mkdtemp(join(folder, "at-"));
      await only([]);
      await assert.rejects(
        build(at),
        new RegExp(`${name} needs programs that are missing on this machine: .*apt-get install`, "s"),
      );
      assert.deepEqual(await readdir(at), []);
    });
});

describe("missing rights", () => {
  it("are said first, with the folder or the reason", () => {
    const requirements = { command: "rootfs build", root: "it creates files owned by root", needs: [] };
    const nothing = { needs: [], notRoot: false, unwritable: [] };
    assert.match(
      renderUnmet(requirements, { ...nothing, notRoot: true }, true) ?? "",
      /^rootfs build must run as root \(it creates/,
    );
    assert.match(
      renderUnmet({ ...requirements, command: "boot-tree build" }, { ...nothing, unwritable: ["/var/lib/x"] }, true) ??
        "",
      /cannot write to \/var\/lib\/x: run it as root/,
    );
    const both = renderUnmet(requirements, { needs: ["bison"], notRoot: true, unwritable: [] }, true) ?? "";
    assert.match(
      both,
      /must run as root.*\n.*--install.*\n {2}sudo apt-get update && sudo apt-get install -y --no-install-recommends bison$/,
    );
    assert.equal(renderUnmet(requirements, nothing, true), undefined);
  });

  it("are seen on folders that do not exist yet", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    const { unwritable } = await findUnmet({ command: "x", needs: [], writes: [join(folder, "a/b/c"), "/proc/1/x"] });
    assert.deepEqual(unwritable, ["/proc/1/x"]);
  });
});

describe("the search path", () => {
  for (const [given, wanted] of [
    ["/usr/bin:/bin", "/usr/bin:/bin:/usr/sbin:/sbin"],
    ["/usr/local/bin:/usr/bin:/usr/sbin", "/usr/local/bin:/usr/bin:/usr/sbin:/usr/local/sbin"],
    ["/opt/tools", "/opt/tools"],
    [undefined, "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"],
  ] as const)
    it(`${given ?? "that is not set"} has what only root runs`, () => {
      assert.equal(systemPath(given), wanted);
    });
});
