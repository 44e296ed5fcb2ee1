// The examples in controller/README.md, "Hooks".
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { type HookOccasion, renderHookCall } from "../../../../controller/hooks/render-hook-call.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import { readBlock } from "../../../rack/documented/read-documentation.ts";
import { aNode } from "../boot/a-node.ts";

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

describe("the documented hook of Kubernetes", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-kubernetes-"));
    const { text } = await readBlock("kubernetes hook");
    await writeFile(path.join(folder, "kubernetes-node"), text, { mode: 0o755 });
    // A stand-in: notes what it is asked for, and knows the node pi-1 alone.
    const kubectl =
      '#!/bin/sh\necho "$KUBECONFIG $*" >>"$ASKED"\nif [ "$1 $3" = "get pi-1" ]; then echo node/pi-1; fi\n[ "$1" != drain ] || exit "$DRAINED"\n';
    await writeFile(path.join(folder, "kubectl"), kubectl, { mode: 0o755 });
  });
  after(() => rm(folder, { recursive: true }));

  async function run(hook: string, node: string, told: string, drained = "0"): Promise<readonly string[]> {
    const asked = path.join(folder, "asked");
    await writeFile(asked, "");
    const env = {
      PATH: `${folder}:${process.env["PATH"]}`,
      ASKED: asked,
      DRAINED: drained,
      PALLET_HOOK: hook,
      PALLET_NODE: node,
    };
    const running = promisify(execFile)(path.join(folder, "kubernetes-node"), { env });
    running.child.stdin?.end(`${told}\n`);
    await running;
    const lines = (await readFile(asked, "utf8")).trim().split("\n");
    return lines.slice(1).map((line) => line.replace("/etc/pallet/kubeconfig ", ""));
  }

  const drain = "drain pi-1 --ignore-daemonsets --delete-emptydir-data --timeout=200s";
  for (const [title, hook, node, told, asked] of [
    ["drains a node before", "before-reimage", "pi-1", "{}", [drain]],
    ["lets one that never joined alone", "before-reimage", "pi-2", "{}", []],
    ["has it take pods once it is configured", "after-configured", "pi-1", "{}", ["uncordon pi-1"]],
    ["and after an end that touched nothing", "after-failed", "pi-1", '{"verdict":"untouched"}', ["uncordon pi-1"]],
    [
      "but not after another",
      "after-failed",
      "pi-1",
      '{"verdict":"no-system","message":"\\"verdict\\":\\"untouched\\""}',
      [],
    ],
  ] as const)
    it(title, async () => assert.deepEqual(await run(hook, node, told), asked));

  it("fails where the node cannot be drained", () => assert.rejects(run("before-reimage", "pi-1", "{}", "1")));
});
