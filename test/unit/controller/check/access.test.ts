import assert from "node:assert/strict";
import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { execa } from "execa";
import { parseServiceRights, replaceOwnParts, selectShutOut } from "../../../../controller/check/check-as-service.ts";
import type { Inaccessible } from "../../../../controller/check/find-inaccessible.ts";
import type { Problem } from "../../../../controller/check/problem.ts";
import { checkout } from "../../../programs/checkout.ts";
import { requires } from "../../../requirements.ts";

/** A user without rights. */
const nobody = 65534;
/** As whom it asks; what it loads, that user may not read everywhere. */
const script = `
const { findInaccessible } = await import(process.argv[1]);
process.setgroups([]);
process.setgid(${nobody});
process.setuid(${nobody});
const folder = process.argv[2];
const config = Object.fromEntries(
  ["bootTree", "profileDirectory", "stateDirectory", "imageDirectory"].map((name) => [name, folder + "/" + name]),
);
console.log(JSON.stringify(await findInaccessible(config, folder + "/version")));
`;

describe("what the controller's user may not do", requires("root"), () => {
  it("is found in all that it reads and writes, down to the file, and up to the folder that is closed", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "pallet-access-"));
    const at = (...names: readonly string[]): string => path.join(folder, ...names);
    const find = async (): Promise<readonly Inaccessible[]> => {
      const module = path.join(checkout, "controller/check/find-inaccessible.ts");
      const { stdout } = await execa(process.execPath, ["--input-type=module", "-e", script, "--", module, folder]);
      return JSON.parse(stdout);
    };
    const usual = process.umask(0o022);
    try {
      await chmod(folder, 0o755);
      await mkdir(at("bootTree/overlays"), { recursive: true });
      await writeFile(at("bootTree/start4.elf"), "");
      await mkdir(at("profileDirectory"));
      await writeFile(at("profileDirectory/secret"), "", { mode: 0o640 });
      await chown(at("profileDirectory/secret"), 0, nobody);
      await symlink("nowhere", at("profileDirectory/leads-nowhere"));
      await mkdir(at("version/root"), { recursive: true });
      await mkdir(at("version/root/root"), { mode: 0o700 });
      await mkdir(at("stateDirectory"));
      await chown(at("stateDirectory"), nobody, nobody);
      // There is no folder for images yet.
      assert.deepEqual(await find(), []);

      await chmod(at("bootTree/start4.elf"), 0o600);
      await chmod(at("bootTree/overlays"), 0o700);
      await chmod(at("profileDirectory"), 0o700);
      await chown(at("stateDirectory"), 0, 0);
      assert.deepEqual(
        (await find()).map(({ path: place, lacks }) => `${lacks} ${path.relative(folder, place)}`).toSorted(),
        ["read bootTree/overlays", "read bootTree/start4.elf", "read profileDirectory", "write stateDirectory"],
      );
      await chmod(folder, 0o700);
      assert.deepEqual(await find(), [{ path: folder, lacks: "enter" }]);
    } finally {
      process.umask(usual);
      await rm(folder, { recursive: true });
    }
  });

  it("takes the place of what root found of rights and hooks, and nothing else's", () => {
    const problem = (part: Problem["part"], message: string): Problem => ({
      ...{ part, message, remedy: "", isFatal: false },
    });
    assert.deepEqual(
      replaceOwnParts(
        [problem("ports", "root's"), problem("boot tree", "root's"), problem("hooks", "root's")],
        [problem("hooks", "its own"), problem("rights", "its own"), problem("boot tree", "its own")],
      ).map(({ part, message }) => `${part}: ${message}`),
      ["rights: its own", "ports: root's", "boot tree: root's", "hooks: its own"],
    );
  });

  for (const [what, text, folders] of [
    [
      "where its unit lets it write nowhere else",
      "User=pallet\nProtectSystem=strict\nReadWritePaths=/var/lib/pallet -/srv/inventory\n",
      ["/srv/images", "/var/lib/pallets"],
    ],
    ["nowhere, where its unit lets it write everywhere", "User=pallet\nProtectSystem=full\nReadWritePaths=\n", []],
  ] as const)
    it(`is found ${what}`, () => {
      const rights = parseServiceRights(text);
      assert.ok(rights);
      const asked = ["/var/lib/pallet/images", "/srv/inventory", "/srv/images", "/var/lib/pallets"];
      const problems = selectShutOut(asked, rights);
      assert.deepEqual(
        problems.map(({ remedy }) => /ReadWritePaths=([^;]+)/.exec(remedy)?.[1]),
        folders,
      );
    });

  it("is not asked where there is no such unit, or it is root's", () => {
    for (const text of ["", "User=\nProtectSystem=no\nReadWritePaths=\n", "User=root\n"])
      assert.equal(parseServiceRights(text), undefined);
  });
});
