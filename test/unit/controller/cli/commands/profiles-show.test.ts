import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import { Failure } from "../../../../../proto/failure.ts";
import { RenderNodeConfigResponse, type SelectNodesRequest } from "../../../../../proto/gen/pallet/v1/controller.ts";
import { installedNode } from "../a-catalogue.ts";
import { run } from "../a-console.ts";
import { type AController, type Answers, answer, refusal, startController } from "../a-controller.ts";

const config = (name: string, refusals: readonly string[] = []): RenderNodeConfigResponse =>
  RenderNodeConfigResponse.fromPartial({
    imageName: "debian",
    config: { digest: "ab".repeat(32), profiles: ["base"] },
    yaml: `hostname: ${name}\n`,
    refusals: [...refusals],
  });
const rackOf = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ ...installedNode, nodeId: `id-${at}`, name: `pi-${at}` }));

describe("controller profiles show", () => {
  let controller: AController | undefined;
  afterEach(() => controller?.close());
  const start = async (answers: Answers): Promise<string> => {
    controller = await startController(answers);
    return controller.socket;
  };

  it("shows one node that is named in full without asking which are meant; its JSON is one object", async () => {
    const socket = await start({ renderNodeConfig: answer(({ node }) => config(node)) });
    const { code, stdout } = await run(["profiles", "show", "pi-7", "--image", "debian"], { socket });
    assert.equal(code, 0);
    assert.match(stdout, /^# pi-7 with debian, by base\n/);
    const json = await run(["profiles", "show", "pi-7", "--json"], { socket });
    assert.equal((JSON.parse(json.stdout) as { yaml: string }).yaml, "hostname: pi-7\n");
  });

  it("shows two hundred by their labels, in their order, and as a list in JSON", async () => {
    const asked: SelectNodesRequest[] = [];
    const socket = await start({
      selectNodes: answer((request) => {
        asked.push(request);
        return { nodes: rackOf(200) };
      }),
      renderNodeConfig: answer(({ node }) => config(node)),
    });
    const { code, stdout } = await run(["profiles", "show", "-l", "rack=a"], { socket });
    assert.equal(code, 0);
    const titles = stdout.split("\n").filter((line) => line.startsWith("# pi-"));
    assert.deepEqual(
      titles,
      rackOf(200).map(({ name }) => `# ${name} with debian, by base`),
    );
    assert.deepEqual(
      asked.map(({ selector, acceptedOnly }) => [selector?.labelSelector, acceptedOnly]),
      [["rack=a", true]],
    );
    const json = await run(["profiles", "show", "--all", "--json"], { socket });
    const list = JSON.parse(json.stdout) as { node: string; yaml: string }[];
    assert.deepEqual([list.length, list[7]?.node, list[7]?.yaml], [200, "pi-7", "hostname: id-7\n"]);
  });

  it("fails when the image cannot be made that for one of them, or when one has no answer, and shows the others", async () => {
    const socket = await start({
      selectNodes: answer(() => ({ nodes: rackOf(3) })),
      renderNodeConfig: ({ request }, callback) => {
        if (request.node === "id-1")
          callback(refusal(status.FAILED_PRECONDITION, new Failure("invalid", "the profiles have 1 problem")));
        else callback(null, config(request.node, request.node === "id-2" ? ["it takes no Wi-Fi"] : []));
      },
    });
    const { code, stdout, stderr } = await run(["profiles", "show", "pi-*"], { socket });
    assert.equal(code, 1);
    assert.match(stdout, /# pi-0 with debian[\s\S]*# pi-2 with debian[\s\S]*it takes no Wi-Fi/);
    assert.match(stderr, /pi-1: the profiles have 1 problem[\s\S]*failed on 2 of 3 nodes: pi-1, pi-2/);
  });

  it("says what is missing where no node is chosen", async () => {
    const socket = await start({});
    const { code, stderr } = await run(["profiles", "show"], { socket });
    assert.equal(code, 2);
    assert.match(stderr, /name the nodes to show, or give --all/);
  });
});
