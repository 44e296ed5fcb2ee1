// The hooks of Kubernetes that the documentation prints, with the real kubectl and a stand-in for the API server: no cluster.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { parseGivenValues } from "../../controller/hooks/parse-given-values.ts";
import { runCommand } from "../../controller/hooks/run-command.ts";
import { monotonicClock } from "../../proto/time/clock.ts";
import { readBlock } from "../rack/documented/read-documentation.ts";
import { createScratchFolder, type ScratchFolder } from "../rack/scratch-folder.ts";
import { requires } from "../requirements.ts";
import { type ApiRequest, type StandInCluster, startCluster } from "./kubernetes/start-cluster.ts";

describe("kubectl in the documented hooks", requires("kubectl"), () => {
  let scratch: ScratchFolder;
  let cluster: StandInCluster;
  const file = (name: string): string => path.join(scratch.path, name);

  before(async () => {
    scratch = await createScratchFolder("pallet-kubectl-");
    await mkdir(file("cluster"));
    cluster = await startCluster(file("cluster"), ["pi-1", "pi-2"]);
    await writeFile(file("k3s-ca"), "K10c0ffee\n");
    for (const block of ["kubernetes hook", "k3s token"]) {
      const { text } = await readBlock(block);
      const own = text
        // kubectl keeps what it has discovered in its user's home.
        .replace("export KUBECONFIG", `export HOME=${scratch.path} KUBECONFIG`)
        .replaceAll("/etc/pallet/kubeconfig", cluster.kubeconfig)
        .replaceAll("/etc/pallet/k3s-ca", file("k3s-ca"));
      await writeFile(file(block), own, { mode: 0o755 });
    }
  });
  after(async () => {
    await cluster?.close();
    await scratch.remove();
  });

  /** As the controller runs it. Resolves with what it asked the API for, but for discovery and lists. */
  async function run(
    block: string,
    variables: { readonly hook: string; readonly node: string; readonly id?: string },
    told = "{}",
  ): Promise<{ readonly answer: string; readonly asked: readonly ApiRequest[] }> {
    const before = cluster.requests().length;
    const { hook, node, id = `x_${hook}_kubernetes` } = variables;
    const answer = await runCommand([file(block)], {
      ...{ input: `${told}\n`, timeoutMs: 120_000, signal: new AbortController().signal, clock: monotonicClock },
      ...{ variables: { PALLET_HOOK: hook, PALLET_HOOK_ID: id, PALLET_NODE: node }, isAnswerRead: true },
    });
    return { answer: answer ?? "", asked: cluster.requests().slice(before) };
  }

  const changes = (asked: readonly ApiRequest[]): string[] =>
    asked
      .filter(({ method }) => method !== "GET")
      .map(({ method, url, body }) => `${method} ${url.replace(/\?.*/, "")} ${method === "PATCH" ? body : ""}`.trim());

  async function kubectl(...args: readonly string[]): Promise<string> {
    const env = { KUBECONFIG: cluster.kubeconfig, PATH: "/usr/bin:/bin", HOME: scratch.path };
    return await new Promise((resolve, reject) =>
      execFile("kubectl", args, { env }, (error, stdout) => (error === null ? resolve(stdout) : reject(error))),
    );
  }

  const uncordoned = 'PATCH /api/v1/nodes/pi-1 {"spec":{"unschedulable":null}}';

  it("drains a node: no new pods, and those that are not a DaemonSet's are evicted", async () => {
    const { asked } = await run("kubernetes hook", { hook: "before-reimage", node: "pi-1" });
    assert.deepEqual(changes(asked), [
      'PATCH /api/v1/nodes/pi-1 {"spec":{"unschedulable":true}}',
      "POST /api/v1/namespaces/default/pods/web-pi-1/eviction",
    ]);
    assert.match(await kubectl("get", "node", "pi-1", "-o", "jsonpath={.spec.unschedulable}"), /^true$/);
    assert.deepEqual(
      changes((await run("kubernetes hook", { hook: "before-reimage", node: "pi-1" })).asked),
      [],
      "again",
    );
  });

  it("leaves one alone that has never joined", async () => {
    const { asked } = await run("kubernetes hook", { hook: "before-reimage", node: "pi-3" });
    assert.deepEqual(changes(asked), []);
    assert.ok(asked.some(({ url, status }) => url === "/api/v1/nodes/pi-3" && status === 404));
  });

  it("has it take pods once it is configured, and after an end that touched nothing, but no other", async () => {
    assert.deepEqual(changes((await run("kubernetes hook", { hook: "after-configured", node: "pi-1" })).asked), [
      uncordoned,
    ]);
    await run("kubernetes hook", { hook: "before-reimage", node: "pi-1" });
    const after = async (told: string): Promise<string[]> =>
      changes((await run("kubernetes hook", { hook: "after-failed", node: "pi-1" }, told)).asked);
    assert.deepEqual(await after('{"verdict":"no-system","message":"\\"verdict\\":\\"untouched\\""}'), []);
    assert.deepEqual(await after('{"verdict":"untouched"}'), [uncordoned]);
  });

  it("fails where the API server is not the one that the kubeconfig knows", async () => {
    await mkdir(file("another"));
    const another = await startCluster(file("another"), ["pi-1"]);
    try {
      const mixed = JSON.parse(await kubectl("config", "view", "--raw", "-o", "json"));
      mixed.clusters[0].cluster.server = (await serverOf(another.kubeconfig)).trim();
      const before = another.requests().length;
      await writeFile(file("mixed"), JSON.stringify(mixed));
      await writeFile(
        file("mixed-hook"),
        (await readFile(file("kubernetes hook"), "utf8")).replaceAll(cluster.kubeconfig, file("mixed")),
        { mode: 0o755 },
      );
      await assert.rejects(run("mixed-hook", { hook: "before-reimage", node: "pi-1" }), /x509|certificate/);
      assert.deepEqual(another.requests().slice(before), []);
    } finally {
      await another.close();
    }
  });

  const serverOf = (kubeconfig: string): Promise<string> =>
    kubectl("config", "view", "--kubeconfig", kubeconfig, "-o", "jsonpath={.clusters[0].cluster.server}");

  it("makes a token of k3s for a reimage, the same when it is asked again, and another for the next", async () => {
    const gives = { values: ["k3s_url"], secrets: ["k3s_token"] };
    const ask = async (id: string) => {
      const { answer, asked } = await run("k3s token", { hook: "before-reimage", node: "pi-1", id });
      const { values, secrets } = parseGivenValues(gives, answer);
      return { url: values["k3s_url"] ?? "", token: secrets["k3s_token"] ?? "", asked };
    };
    const one = await ask("one_before-reimage_k3s-token");
    assert.equal(one.url, await serverOf(cluster.kubeconfig));
    const [, id = "", secret = ""] =
      /^K10c0ffee::([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(one.token) ?? assert.fail(one.token);
    // Whose absence is no failure.
    assert.ok(changes(one.asked).includes("DELETE /api/v1/namespaces/kube-system/secrets/pi-1.node-password.k3s"));
    const made = one.asked.find(({ method }) => method === "POST") ?? assert.fail();
    assert.deepEqual([made.url.replace(/\?.*/, ""), made.status], ["/api/v1/namespaces/kube-system/secrets", 201]);
    const { type, metadata, stringData } = JSON.parse(made.body);
    assert.deepEqual([type, metadata.name], ["bootstrap.kubernetes.io/token", `bootstrap-token-${id}`]);
    const { expiration, ...rest } = stringData;
    assert.deepEqual(rest, {
      ...{ description: "pi-1", "token-id": id, "token-secret": secret, "usage-bootstrap-authentication": "true" },
      "auth-extra-groups": "system:bootstrappers:k3s:default-node-token",
    });
    assert.ok(Math.abs(Date.parse(expiration) - Date.now() - 7_200_000) < 300_000, expiration);

    const again = await ask("one_before-reimage_k3s-token");
    assert.equal(again.token, one.token);
    assert.ok(again.asked.every(({ method }) => method !== "POST"));
    const other = await ask("two_before-reimage_k3s-token");
    assert.notEqual(other.token, one.token);
  });
});
