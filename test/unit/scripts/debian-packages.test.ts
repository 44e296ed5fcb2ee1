// What a fresh machine gets is what is asked for: scripts/debian-packages against what the programs say that they need.
// That the list is enough is shown by .ci/run, which runs the tests where nothing else is installed.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { debianPackages, knownPackages } from "../../../proto/linux/debian-package.ts";
import { demoRequirements } from "../../../scripts/demo/requirements.ts";

const top = path.resolve(import.meta.dirname, "../../..");
const read = (file: string) => readFileSync(path.join(top, file), "utf8");

const lines = read("scripts/debian-packages")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));
const listed = lines.map((line) => {
  const [name = "", group = "", ...reason] = line.split(/\s+/);
  return { name, group, reason: reason.join(" "), line };
});
const named = new Set(listed.flatMap(({ name }) => name.split("|")));

/** Asked for, and in no list, with the reason. */
const unlisted: Readonly<Record<string, string>> = {
  apt: "is how Debian installs anything",
  "debian-archive-keyring": "apt depends on it",
  dpkg: "is essential",
  tar: "is essential",
  coreutils: "is essential",
  "perl-base": "is essential",
  "ca-certificates": "for mirrors behind https only; README asks for npm, which needs it first",
  npm: "README asks for it: it starts the script that reads the list",
  "nfs-kernel-server": "for kernels with an NFS server; the tests use nfs-ganesha, which every kernel runs",
};

describe("scripts/debian-packages", () => {
  it("has a name, a known group and a reason in every line, and no package twice in a group", () => {
    for (const { name, group, reason, line } of listed) {
      assert.match(name, /^[a-z0-9][a-z0-9+.-]+(\|[a-z0-9][a-z0-9+.-]+)*$/, line);
      assert.match(group, /^(run|test|bench)$/, line);
      assert.notEqual(reason, "", line);
    }
    const keys = listed.map(({ name, group }) => `${name} ${group}`);
    assert.deepEqual(
      keys.filter((key, index) => keys.indexOf(key) !== index),
      [],
    );
  });

  it("has every package that the programs may ask for, or it is argued here why not", () => {
    assert.deepEqual(
      knownPackages.filter((name) => !named.has(name) && !Object.hasOwn(unlisted, name)),
      [],
    );
  });

  it("has every package that a message or the documentation tells to install", () => {
    const files = [
      "README.md",
      ...globSync(["{agent,controller}/**/*.{ts,md}", "{.github,scripts,test}/**/*.md"], { cwd: top }),
    ];
    const told = files.flatMap((file) =>
      [...read(file).matchAll(/apt-get install ((?:-[-a-z]+ )*)([a-z0-9+. -]+)/g)].flatMap(([, , words = ""]) =>
        words.split(" ").filter((word) => word !== "" && !word.startsWith("-")),
      ),
    );
    assert.ok(told.length > 0);
    assert.deepEqual(
      told.filter((name) => !named.has(name) && !Object.hasOwn(unlisted, name)),
      [],
    );
  });

  it("argues for no package that is listed after all", () =>
    assert.deepEqual(
      Object.keys(unlisted).filter((name) => named.has(name)),
      [],
    ));

  it("brings the demo all that it needs", () => {
    const run = new Set(listed.filter(({ group }) => group === "run").map(({ name }) => name));
    assert.deepEqual(
      debianPackages(demoRequirements.needs).filter((name) => !run.has(name) && !Object.hasOwn(unlisted, name)),
      [],
    );
  });
});
