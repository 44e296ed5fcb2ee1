// A rack of Kubernetes' nodes that is reimaged: drained, given a join token each, and uncordoned, by the documented hooks and
// kubectl; the API server is a stand-in.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { ReimagePhase } from "../../proto/gen/pallet/v1/rollout.ts";
import { readBlock } from "../rack/documented/read-documentation.ts";
import { createRack, type Rack } from "../rack/rack.ts";
import { createScratchFolder, type ScratchFolder } from "../rack/scratch-folder.ts";
import { end, reimageOf, startReimage, tell } from "../rack/story.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { until } from "../until.ts";
import { type ApiRequest, type StandInCluster, startCluster } from "./kubernetes/start-cluster.ts";

const names = ["worker-1", "worker-2"];
const profile = `system:
  files:
    - { path: /etc/cluster/url, content: "{{ hook.k3s_url }}" }
    - { path: /etc/cluster/token, secretFrom: k3s_token, mode: "0600" }
  tasks:
    - name: join
      script: |
        #!/bin/sh -eu
        cmp /etc/cluster/token "$PALLET_SECRETS/token"
        sha256sum <"$PALLET_SECRETS/token" >/joined
        echo "$URL" >>/joined
      environment: { URL: "{{ hook.k3s_url }}" }
      secretsFrom: { token: k3s_token }
`;

describe("a rack of Kubernetes' nodes", requires("root", "loop devices", "kubectl"), () => {
  let scratch: ScratchFolder;
  let rack: Rack;
  let cluster: StandInCluster | undefined;
  const file = (name: string): string => path.join(scratch.path, name);

  before(async () => {
    scratch = await createScratchFolder("pallet-kubernetes-");
    await mkdir(file("cluster"));
    await writeFile(file("k3s-ca"), "K10c0ffee\n");
    for (const block of ["kubernetes hook", "k3s token"]) {
      const text = (await readBlock(block)).text
        // kubectl keeps what it has discovered in its user's home.
        .replace("export KUBECONFIG", `export HOME=${scratch.path} KUBECONFIG`)
        .replaceAll("/etc/pallet/kubeconfig", file("cluster/kubeconfig"))
        .replaceAll("/etc/pallet/k3s-ca", file("k3s-ca"));
      await writeFile(file(block), text, { mode: 0o755 });
    }
    const kubernetes = { command: [file("kubernetes hook")], timeoutMs: 120_000 };
    rack = await createRack({
      nodes: names.length,
      settings: {
        hooks: [
          { name: "drain", when: "before-reimage", ...kubernetes },
          {
            ...{ name: "k3s-token", when: "before-reimage", command: [file("k3s token")], timeoutMs: 120_000 },
            gives: { values: ["k3s_url"], secrets: ["k3s_token"] },
          },
          { name: "uncordon", when: "after-configured", ...kubernetes },
          { name: "give-back", when: "after-failed", ...kubernetes },
        ],
      },
      async prepareNetwork({ namespace, address }) {
        cluster = await startCluster(file("cluster"), names, { address, network: namespace.path });
        return cluster.close;
      },
    });
    await mkdir(path.join(rack.folder, "profiles"));
    await writeFile(path.join(rack.folder, "profiles/agents.yaml"), profile);
    const image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
    for (const [index, name] of names.entries()) await rack.palletOk("node", "rename", rack.board(index + 1).mac, name);
  });
  after(async () => {
    await rack?.close();
    await scratch.remove();
  });

  const requests = (): readonly ApiRequest[] => cluster?.requests() ?? [];
  const changes = (name: string): string[] =>
    requests()
      .filter(({ method, url }) => method !== "GET" && url.includes(name))
      .map(({ method, url, body }) =>
        `${method} ${url.replace(/^.*\/|\?.*$/g, "")} ${method === "PATCH" ? body : ""}`.trim(),
      );
  /** Of the token that was made for a node last, and of all. */
  const tokens = (name?: string): string[] =>
    requests()
      .filter(({ method, url }) => method === "POST" && url.includes("/secrets"))
      .map(({ body }) => JSON.parse(body).stringData)
      .filter(({ description }) => name === undefined || description === name)
      .map((data) => `K10c0ffee::${data["token-id"]}.${data["token-secret"]}`);

  /** Every file of the controller's folder but images, as text. */
  async function kept(folder: string): Promise<string> {
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    const texts = found
      .filter(
        (each) =>
          each.isFile() && !/image|rootfs|boot/.test(path.join(each.parentPath, each.name).slice(folder.length)),
      )
      .map((each) => readFile(path.join(each.parentPath, each.name), "latin1"));
    return (await Promise.all(texts)).join("\n");
  }

  it("is drained, joins by a token for each node, and takes pods again", { timeout: 900_000 }, () =>
    tell(rack, async () => {
      const plan = await rack.palletOk("reimage", "--all", "--image", "image", "--dry-run");
      assert.match(plan, /with the value k3s_url of the hook k3s-token, the secret k3s_token of the hook k3s-token/);
      assert.match(await rack.palletOk("profiles", "show", "worker-1"), /URL: \(k3s_url from a hook\)/);
      assert.deepEqual(tokens(), [], "a plan asks no hook");

      const rollout = await end(rack, await startReimage(rack, "--all"), 400_000);
      for (const [index, name] of names.entries()) {
        const board = rack.board(index + 1);
        assert.equal(reimageOf(rollout, board).phase, ReimagePhase.REIMAGE_PHASE_PROVED);
        await until(() => changes(name).some((each) => each.includes("null")), "it was not uncordoned", {
          withinMs: 200_000,
        });
        assert.deepEqual(changes(name), [
          `PATCH ${name} {"spec":{"unschedulable":true}}`,
          "POST eviction",
          `DELETE ${name}.node-password.k3s`,
          `PATCH ${name} {"spec":{"unschedulable":null}}`,
        ]);
        const [token = "", ...more] = tokens(name);
        assert.deepEqual(more, []);
        const joined = await board.run("cat", ["/joined"]);
        assert.ok(joined.startsWith(createHash("sha256").update(token).digest("hex")), joined);
        assert.match(joined, /^https:\/\/10\.77\.0\.1:\d+$/m);
        assert.match(await board.run("stat", ["-c", "%a %U", "/etc/cluster/token"]), /^600 /);
        assert.doesNotMatch(await board.run("cat", ["/etc/pallet/tasks.json"]), /K10c0ffee/);
      }
      assert.equal(new Set(tokens()).size, names.length);
    }),
  );

  it("has its tokens nowhere else", { timeout: 300_000 }, () =>
    tell(rack, async () => {
      const told = await Promise.all([
        rack.palletOk("events", "--json"),
        rack.palletOk("rollouts", "--json"),
        rack.palletOk("nodes", "--json"),
        ...names.map((name) => rack.palletOk("node", "logs", name, "--json")),
        kept(rack.stateDirectory),
      ]);
      for (const text of told) assert.match(text, /worker-[12]/, "it looks at the wrong thing");
      for (const token of tokens()) {
        const [, secret = ""] = token.split(".");
        for (const text of [...told, ...names.map((_, index) => rack.board(index + 1).console.text())])
          assert.ok(
            !text.includes(secret),
            `${text.slice(Math.max(0, text.indexOf(secret) - 200), text.indexOf(secret))}…`,
          );
      }
    }),
  );

  it(
    "is not changed by that a token would be another; and one that cannot be had leaves its node as it was",
    { timeout: 600_000 },
    () =>
      tell(rack, async () => {
        const nothing = await rack.pallet("reimage", "--all", "--image", "image", "--only-changed", "--yes");
        assert.match(nothing.stdout + nothing.stderr, /Left alone: 2 nodes, worker-1, worker-2/);
        const made = tokens().length;
        await rename(file("k3s-ca"), file("k3s-ca-away"));
        const rollout = await end(rack, await startReimage(rack, "worker-1"), 200_000);
        const { phase, failure } = reimageOf(rollout, rack.board(1));
        assert.equal(phase, ReimagePhase.REIMAGE_PHASE_FAILED);
        assert.match(failure?.message ?? "", /^the before-reimage hook k3s-token of worker-1 failed: /);
        assert.ok(tokens().length <= made + 1);
        await until(
          () => changes("worker-1").filter((each) => each.includes("null")).length === 2,
          "it was not given back",
          {
            withinMs: 200_000,
          },
        );
      }),
  );
});
