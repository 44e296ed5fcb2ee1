// In which forms lists are printed.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { parse } from "yaml";
import { assertGolden } from "../../../../golden.ts";
import { anImage, freshNode, installedNode, knownNode } from "../a-catalogue.ts";
import { run } from "../a-console.ts";
import { type AController, answer, startController } from "../a-controller.ts";
import { ended, motley } from "../a-rollout.ts";

const labelled = { ...knownNode, labels: [{ key: "rack", value: "a" }] };

describe("a list", () => {
  let controller: AController;
  let empty: AController;
  before(async () => {
    controller = await startController({
      listNodes: answer(() => ({ nodes: [labelled, installedNode, freshNode] })),
      listImages: answer(() => ({ images: [anImage] })),
      listRollouts: answer(() => ({ rollouts: [motley, ended] })),
    });
    empty = await startController({
      listNodes: answer(() => ({ nodes: [] })),
      listImages: answer(() => ({ images: [] })),
      listRollouts: answer(() => ({ rollouts: [] })),
    });
  });
  after(async () => {
    await controller.close();
    await empty.close();
  });
  const pallet = (...argv: readonly string[]) => run(argv, { socket: controller.socket });

  for (const list of ["nodes", "node list", "images", "images list", "rollouts", "rollout list"]) {
    const words = list.split(" ");
    it(`of ${list}: -o json is --json, and -o yaml the same value`, async () => {
      const json = await pallet(...words, "--json");
      assert.deepEqual(await pallet(...words, "-o", "json"), json);
      const yaml = await pallet(...words, "-o", "yaml");
      assert.deepEqual([yaml.code, yaml.stderr], [0, ""]);
      assert.deepEqual(parse(yaml.stdout), JSON.parse(json.stdout));
    });
  }

  for (const [list, names] of [
    ["nodes", "rack-1\nrack-2\nnode-b827eb000003\n"],
    ["images", "debian-12\n"],
    ["rollouts", `${motley.rolloutId}\n${ended.rolloutId}\n`],
  ] as const)
    it(`of ${list}: -o name is a name a line, on a terminal too`, async () => {
      const terminal = { columns: 80, rows: 30 };
      assert.deepEqual(await run([list, "-o", "name"], { socket: controller.socket, terminal }), {
        ...{ code: 0, stdout: names, stderr: "" },
      });
    });

  it("-o wide shows every column, however narrow the terminal", async () => {
    const terminal = { columns: 60, rows: 30 };
    const at = (list: string) =>
      run([list, "-o", "wide"], { socket: controller.socket, terminal, env: { NO_COLOR: "1" } });
    assertGolden("cli/nodes-wide", (await at("nodes")).stdout);
    assert.ok((await at("images")).stdout.includes(anImage.digest));
    assert.match((await at("rollouts")).stdout, /TOOK/);
  });

  it("--sort-by orders every form", async () => {
    for (const [argv, names] of [
      [
        ["-o", "name", "--sort-by", "seen"],
        ["rack-2", "rack-1", "node-b827eb000003"],
      ],
      [
        ["-o", "name", "--sort-by", "label:rack"],
        ["rack-1", "node-b827eb000003", "rack-2"],
      ],
    ] as const)
      assert.deepEqual((await pallet("nodes", ...argv)).stdout.trim().split("\n"), names);
    const { stdout } = await pallet("nodes", "--json", "--sort-by", "name");
    assert.deepEqual(
      (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name),
      ["node-b827eb000003", "rack-1", "rack-2"],
    );
  });

  it("that is empty prints nothing, or an empty list, and tells a person what to do", async () => {
    for (const list of ["nodes", "images", "rollouts"])
      for (const [format, printed, isTold] of [
        ["json", "[]\n", false],
        ["yaml", "[]\n", false],
        ["name", "", true],
        ["wide", "", true],
      ] as const) {
        const { code, stdout, stderr } = await run([list, "-o", format], { socket: empty.socket });
        assert.deepEqual([code, stdout, stderr !== ""], [0, printed, isTold], `${list} -o ${format}`);
      }
  });

  it("that cannot be had is told in JSON where that is asked for by -o", async () => {
    const { code, stderr } = await run(["nodes", "-o", "json"], { socket: "/nonexistent/controller.sock" });
    assert.equal(code, 1);
    assert.equal(JSON.parse(stderr).error.reason, "internal");
  });
});
