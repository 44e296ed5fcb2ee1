// The examples in controller/README.md, "Hooks", and the profiles in controller/hooks/README.md.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfigFile } from "../../../../controller/config/parse-config-file.ts";
import { resolveConfig } from "../../../../controller/config/resolve-config.ts";
import { promisedValues } from "../../../../controller/hooks/promised-values.ts";
import { type HookOccasion, renderHookCall } from "../../../../controller/hooks/render-hook-call.ts";
import type { NodeSystem } from "../../../../controller/profiles/node-system.ts";
import { createProfileFolder } from "../../../../controller/profiles/profile-folder.ts";
import { Failure } from "../../../../proto/failure.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import type { SystemAbilities } from "../../../../proto/system/config/abilities.ts";
import { judgeConfig } from "../../../../proto/system/config/judge-config.ts";
import { readBlock } from "../../../rack/documented/read-documentation.ts";
import { aNode } from "../boot/a-node.ts";
import { aFolderOfProfiles } from "../profiles/a-folder-of-profiles.ts";

const reimage = {
  id: "0d4ff0f2-6d0e-4a39-8a64-7a3c2f8f2d11",
  rolloutId: "20261130-055512-x7k2",
  imageName: "debian-13",
};

describe("the documented JSON of a hook", () => {
  it("is what a hook is told", async () => {
    const { text } = await readBlock("hook json");
    const documented = JSON.parse(text);
    const { node, reimage: told } = documented.data;
    const facts = { ...aNode().facts, model: node.model } as NonNullable<HookOccasion["node"]["facts"]>;
    const { id, name, labels, address, serial, image } = node;
    const { body } = renderHookCall(
      { name: "page" },
      {
        when: "after-failed",
        at: Date.parse(documented.timestamp),
        node: {
          ...{ id, name, labels, address, facts, board: { serial } },
          bootTarget: { kind: "local", imageDigest: image.digest },
          proved: { imageName: image.name, imageDigest: image.digest, kind: "resident" },
        },
        reimage: {
          ...{ ...reimage, imageDigest: told.image.digest as ImageDigest },
          ...{ phase: "failed", verdict: "untouched", failure: told.failure },
        },
      },
    );
    assert.deepEqual(JSON.parse(body), documented);
    assert.equal(JSON.stringify(documented), body, "in this order");
  });
});

describe("the documented profiles", () => {
  const key = new Uint8Array(32);
  const secrets = { "secrets/k3s-server-token": "canary-1", "secrets/chef-validation.pem": "canary-2" };
  const abilities: SystemAbilities = {
    ...{ init: "systemd", distribution: "debian", users: [], groups: [], shells: [], sudo: false, timezones: true },
    ...{ locales: [], network: {}, cloudInit: false, units: {}, radios: [], has: [] },
  };

  async function configOf(
    test: Parameters<typeof aFolderOfProfiles>[0],
    block: string,
    labels: Record<string, string>,
  ): Promise<NodeSystem> {
    const directory = await aFolderOfProfiles(test, { "a.yaml": (await readBlock(block)).text, ...secrets });
    const { hooks } = await hooksOf("k3s config");
    const set = await createProfileFolder(directory, key, (node) => promisedValues(hooks, node)).read();
    const given = { values: { k3s_url: "https://10.0.0.5:6443" }, secrets: { k3s_token: "K10::one" } };
    const system = await set.systemFor(aNode({ name: "pi-1", labels }), "debian", given);
    assert.ok(system !== undefined && !(system instanceof Failure), String(system));
    assert.deepEqual(judgeConfig(system.config, abilities), []);
    return system;
  }

  async function hooksOf(block: string) {
    const result = resolveConfig([parseConfigFile((await readBlock(block)).text, "a.yaml")]);
    assert.ok(result.ok);
    return result.config;
  }

  const textOf = ({ config }: NodeSystem, file: string): string => {
    const content = config.files?.find((each) => each.path === file)?.content;
    return content?.kind === "file" ? Buffer.from(content.bytes).toString() : assert.fail(`no ${file}`);
  };

  it("of agents of k3s have what the hook gives", async (test) => {
    const system = await configOf(test, "k3s agent profile", { role: "k3s-agent" });
    assert.match(textOf(system, "/etc/rancher/k3s/config.yaml"), /^server: https:\/\/10\.0\.0\.5:6443$/m);
    assert.equal(textOf(system, "/etc/rancher/k3s/token"), "K10::one");
    assert.equal(system.config.files?.find(({ path: file }) => file === "/etc/rancher/k3s/token")?.mode, 0o600);
    assert.deepEqual(
      system.fromHooks?.map(({ name, hook }) => [name, hook]),
      [
        ["k3s_url", "k3s-token"],
        ["k3s_token", "k3s-token"],
      ],
    );
  });

  it("of servers of k3s have their token from a file", async (test) => {
    const system = await configOf(test, "k3s server profile", { role: "k3s-server" });
    assert.equal(textOf(system, "/etc/rancher/k3s/token"), "canary-1");
    assert.equal(system.fromHooks, undefined);
  });

  it("of Chef have their key as a task's secret", async (test) => {
    const { config } = await configOf(test, "chef profile", { "configured-by": "chef" });
    assert.deepEqual(config.tasks?.[0]?.secrets, { validation_key: "canary-2" });
  });
});
