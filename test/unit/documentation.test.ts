// What the documentation prints is what tests run: every code block says which test does, or why none does.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "node:test";
import { parseConfigFile } from "../../controller/config/parse-config-file.ts";
import { resolveConfig } from "../../controller/config/resolve-config.ts";
import { checkout } from "../programs/checkout.ts";
import { readDocumentation } from "../rack/documented/read-documentation.ts";

/** The tested blocks, and the test that runs each. */
const testedBy: Readonly<Record<string, string>> = {
  "management machine": "test/e2e/management-machine.test.ts",
  build: "test/rack/documented/build-as-documented.ts",
  address: "test/rack/documented/documented-machine.ts",
  config: "test/rack/documented/documented-machine.ts",
  check: "test/rack/documented/documented-machine.ts",
  serve: "test/rack/documented/documented-machine.ts",
  "first rollout": "test/e2e/virtual-pis.test.ts",
  curl: "test/e2e/virtual-pis.test.ts",
  ansible: "test/e2e/ansible-inventory.test.ts",
  "ansible playbook": "test/e2e/virtual-profile.test.ts",
  sshd: "test/e2e/remote.test.ts",
  forward: "test/e2e/remote.test.ts",
  "reverse tunnel": "test/e2e/remote.test.ts",
  limits: "test/unit/documentation.test.ts",
  profile: "test/unit/controller/profiles/documented-profile.test.ts",
  "hook json": "test/unit/controller/hooks/documented-hooks.test.ts",
  "kubernetes hook": "test/e2e/kubectl.test.ts",
  "k3s token": "test/e2e/kubectl.test.ts",
  "k3s config": "test/unit/controller/hooks/documented-hooks.test.ts",
  "k3s agent profile": "test/unit/controller/hooks/documented-hooks.test.ts",
  "k3s server profile": "test/unit/controller/hooks/documented-hooks.test.ts",
  "ansible-pull profile": "test/e2e/ansible-pull.test.ts",
  "chef profile": "test/unit/controller/hooks/documented-hooks.test.ts",
};

const pages = await readDocumentation();

describe("the documentation", () => {
  it("marks exactly the blocks that a test runs, each once", () => {
    const marked = [...pages.values()].flatMap((page) => page.marked.map(({ name }) => name));
    assert.deepEqual(marked.toSorted(), Object.keys(testedBy).toSorted());
  });

  it("names blocks by the names that their tests use", async () => {
    for (const [name, file] of Object.entries(testedBy))
      assert.ok((await readFile(path.join(checkout, file), "utf8")).includes(`"${name}"`), `${name}: not in ${file}`);
  });

  it("says of every other command and configuration why no test runs it", () => {
    const silent = [...pages].flatMap(([page, { untested }]) =>
      untested
        .filter(({ language, reason }) => language !== "" && reason === undefined)
        .map(({ line }) => `${page}:${line}`),
    );
    assert.deepEqual(silent, []);
  });

  it("prints only configurations that the controller takes", () => {
    const configs = [...pages].flatMap(([page, { marked, untested }]) =>
      [...marked.filter(({ name }) => !/\bprofile\b/.test(name)), ...untested]
        .filter(({ language }) => language === "yaml")
        .map((block) => ({ page, ...block })),
    );
    assert.ok(configs.some((block) => "name" in block && block.name === "limits"));
    for (const { page, line, text } of configs) {
      const result = resolveConfig([parseConfigFile(text, `${page}:${line}`)]);
      assert.deepEqual(result.ok ? [] : result.problems, []);
    }
  });
});
