import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import { Failure } from "../../../../../proto/failure.ts";
import {
  BootTarget,
  CancelSummary,
  GetStatusResponse,
  Root,
  RootState,
  UplinkSource,
} from "../../../../../proto/gen/pallet/v1/controller.ts";
import { assertGolden } from "../../../../golden.ts";
import { anImage, freshNode, installedNode, knownNode, someDisks, someEvents } from "../a-catalogue.ts";
import { type ConsoleOptions, jsonLines, run } from "../a-console.ts";
import { type AController, answer, refuse, startController, stream } from "../a-controller.ts";
import { ended, motley, now } from "../a-rollout.ts";

const rootOf = (id: string, more: Partial<Root>): Root =>
  Root.fromPartial({
    id,
    kernelRelease: "6.1.0-28-arm64",
    sizeBytes: 230_000_000n,
    agentDigest: "ab".repeat(32),
    ...more,
  });
const someRoots = [
  rootOf("flat", {
    state: RootState.ROOT_STATE_IN_USE,
    madeAt: new Date(now - 90 * 86_400_000),
    users: [{ nodeName: "rack-1", online: false, uncertain: true }],
  }),
  rootOf("20261120-080000-00c0ffee", { state: RootState.ROOT_STATE_REMOVABLE, madeAt: new Date(now - 3 * 86_400_000) }),
  rootOf("20261122-180000-3fa9c1d2", {
    state: RootState.ROOT_STATE_CURRENT,
    madeAt: new Date(now - 86_400_000),
    users: [
      { nodeName: "rack-2", online: true, uncertain: false },
      { nodeName: "rack-10", online: true, uncertain: true },
    ],
  }),
];

const asked: { node?: string; limit?: number; name?: string; image?: string; target?: BootTarget } = {};

const cancelled = { neverBegun: 1, untouched: 3, goingBack: 2, stopping: 2, proved: 1, endedBefore: 1 };
const cancelText = [
  "cancelling rollout 20261123-001800-k3f9: 6 nodes to stop",
  "  1 node not begun, left as before",
  "  3 nodes untouched, with the boot target as before; 2 of them go back into their systems",
  "  2 nodes writing: the write is being stopped, and what the card holds then is told when it has",
  "  1 node proved already, and kept",
  "  1 node failed or cancelled before\n",
].join("\n");

describe("listings", () => {
  let controller: AController;
  let empty: AController;

  before(async () => {
    controller = await startController({
      getStatus: answer(() =>
        GetStatusResponse.fromPartial({
          version: "0.1.0",
          startedAt: new Date(now - 3_600_000),
          grpcAddress: "10.77.0.1:7700",
          httpUrl: "http://10.77.0.1:7701/",
          tftpAddress: "10.77.0.1:69",
          uplink: {
            bytesPerSecond: 51_500_000n,
            capacityBytesPerSecond: 125_000_000n,
            source: UplinkSource.UPLINK_SOURCE_LINK,
            writingNodes: 8,
            waitingNodes: 3,
          },
        }),
      ),
      listNodes: answer(() => ({ nodes: [knownNode, installedNode, freshNode] })),
      getNode: answer(({ node }) => ({ node: node === "rack-2" ? installedNode : knownNode })),
      renameNode: answer(({ name }) => ({ node: { ...knownNode, name } })),
      acceptNodes: answer(({ next = 0, expect }) => ({
        nodes: [knownNode, freshNode],
        rules: { next, expected: expect, configured: ["b8:27:eb:*"] },
      })),
      forgetNode: refuse(
        status.FAILED_PRECONDITION,
        new Failure("invalid", "rack-1 is being reimaged: cancel r-1 first"),
      ),
      setBootTarget: answer(({ bootTarget, imageName }) => {
        Object.assign(asked, { target: bootTarget, image: imageName });
        return { node: knownNode, warning: "" };
      }),
      listNodeDisks: answer(() => ({ devices: [...someDisks] })),
      rebootNode: answer(() => ({})),
      listImages: answer(() => ({ images: [anImage] })),
      getImage: answer(() => ({ image: anImage })),
      removeImage: answer(() => ({})),
      listRoots: answer(() => ({ roots: [...someRoots] })),
      listRollouts: answer(() => ({ rollouts: [motley, ended] })),
      watchRollout: stream(() => [{ rollout: ended }]),
      cancelRollout: answer(() => ({ rollout: motley, summary: CancelSummary.fromPartial(cancelled) })),
      streamEvents: stream(({ node, limit }) => {
        Object.assign(asked, { node, limit });
        return someEvents.map((event) => ({ event }));
      }),
    });
    empty = await startController({
      listNodes: answer(() => ({ nodes: [] })),
      acceptNodes: answer(() => ({ nodes: [], rules: undefined })),
      listNodeDisks: answer(() => ({ devices: [] })),
      listImages: answer(() => ({ images: [] })),
      listRoots: answer(() => ({ roots: [] })),
      listRollouts: answer(() => ({ rollouts: [] })),
      streamEvents: stream(() => []),
    });
  });
  after(async () => {
    await controller.close();
    await empty.close();
  });

  const commands = [
    ["nodes"],
    ["node", "show", "rack-1"],
    ["disks", "rack-1"],
    ["images"],
    ["images", "show", "debian-12"],
    ["rootfs", "list"],
    ["rollouts"],
    ["rollout", "show", "20261123-001800-k3f9"],
    ["status"],
    ["events"],
  ] as const;

  it("status says aloud that the controller takes every call from everybody", async () => {
    const open = await startController({
      getStatus: answer(() => GetStatusResponse.fromPartial({ grpcAddress: "10.77.0.1:7700", insecure: true })),
      listNodes: answer(() => ({ nodes: [] })),
      listImages: answer(() => ({ images: [] })),
      listRollouts: answer(() => ({ rollouts: [] })),
    });
    const { stdout } = await run(["status"], { socket: open.socket });
    assert.match(
      stdout,
      /^grpc +INSECURE: there is no TLS.*anyone who can reach TCP 10\.77\.0\.1:7700 or a node can erase every disk/m,
    );
    await open.close();
  });

  it("images show says which partitions count whole, and why", async () => {
    const countsWhole = "partition 3 holds something\u001b[2J unknown";
    const [boot, root] = anImage.partitions;
    assert.ok(boot && root);
    const image = { ...anImage, partitions: [boot, { ...root, countsWhole }] };
    const hashed = await startController({ getImage: answer(() => ({ image })) });
    const { stdout } = await run(["images", "show", "debian-12"], { socket: hashed.socket });
    assert.ok(
      stdout.includes("nodes are sent all of partition 2, free blocks included: partition 3 holds something"),
      stdout,
    );
    assert.ok(!stdout.includes("\u001b"));
    await hashed.close();
    const all = await startController({ getImage: answer(() => ({ image: { ...image, everything: true } })) });
    const shown = await run(["images", "show", "debian-12"], { socket: all.socket });
    assert.match(shown.stdout, /^added with --everything: nodes are sent every block/m);
    await all.close();
    assert.ok(anImage.pack);
    const packed = { ...anImage, pack: { ...anImage.pack, onlyFree: false } };
    const old = await startController({ getImage: answer(() => ({ image: packed })) });
    const before = await run(["images", "show", "debian-12"], { socket: old.socket });
    assert.match(before.stdout, /^an older Pallet packed it: .* add the image again under another name$/m);
    await old.close();
  });

  for (const argv of commands) {
    const name = argv.slice(0, 2).join("-").replace("-rack-1", "");
    it(`${argv.join(" ")}: as in the golden file, to a pipe`, async () => {
      const { code, stdout, stderr } = await run(argv, { socket: controller.socket });
      assert.deepEqual([code, stderr], [0, ""]);
      assertGolden(`cli/${name}`, stdout.replaceAll(controller.socket, "SOCKET"));
    });
    it(`${argv.join(" ")} --json: as in the golden file`, async () => {
      const { code, stdout, stderr } = await run([...argv, "--json"], { socket: controller.socket });
      assert.deepEqual([code, stderr], [0, ""]);
      if (argv[0] === "events") assert.equal(jsonLines(stdout).length, 3);
      else JSON.parse(stdout);
      assertGolden(`cli/${name}.json`, stdout.replaceAll(controller.socket, "SOCKET"));
    });
    it(`${argv.join(" ")}: lets no control character of a node reach the terminal`, async () => {
      for (const json of [[], ["--json"]]) {
        const { stdout } = await run([...argv, ...json], { socket: controller.socket });
        assert.doesNotMatch(stdout, /(?!\n)\p{Cc}/u);
      }
    });
  }

  for (const [said, habit] of [
    ["nodes", "node list"],
    ["nodes", "node ls"],
    ["images", "images list"],
    ["images", "image ls"],
    ["images", "image"],
    ["rollouts", "rollout list"],
    ["rollouts", "rollout ls"],
  ] as const)
    it(`${habit} is the same as ${said}`, async () => {
      const as = (words: string, ...more: string[]) =>
        run([...words.split(" "), ...more], { socket: controller.socket });
      assert.deepEqual(await as(habit), await as(said));
      assert.deepEqual(await as(habit, "--json"), await as(said, "--json"));
    });

  it("adapt to the width of a terminal by cutting what nobody copies", async () => {
    const at = (columns: number) => {
      const terminal = { columns, rows: 30 };
      return run(["nodes"], { socket: controller.socket, terminal, env: { NO_COLOR: "1" } });
    };
    assertGolden("cli/nodes-narrow", (await at(80)).stdout);
    const { stdout, stderr } = await at(125);
    assertGolden("cli/nodes-middling", stdout);
    assert.equal(
      stderr,
      "rack-2: boot loop: 7 boots in 12 min, last got to its kernel; it began 12m 30s ago\n" +
        "1 node is pending: nothing writes to it or reboots it; accept with: controller node accept node-b827eb000003\n",
    );
    assert.ok(stdout.includes("b8:27:eb:00:00:01"));
  });

  it("have colours on a terminal, unless NO_COLOR says otherwise, and none in a pipe", async () => {
    const terminal = { columns: 160, rows: 30 };
    const coloured = async (options: ConsoleOptions) =>
      (await run(["nodes"], { socket: controller.socket, ...options })).stdout.includes("\u001b[");
    assert.equal(await coloured({ terminal }), true);
    assert.equal(await coloured({ terminal, env: { NO_COLOR: "1" } }), false);
    assert.equal(await coloured({ terminal, env: { TERM: "dumb" } }), false);
    assert.equal(await coloured({}), false);
  });

  it("say what to do when there is nothing to list, on stderr, so that a pipe stays empty", async () => {
    for (const [argv, advice] of [
      [["nodes"], /no nodes yet: power one on, and it appears/],
      [["node", "accept", "--all"], /no nodes yet: power one on, and it appears/],
      [["images"], /no images yet; add one with: controller images add/],
      [["rollouts"], /no rollouts yet; .*controller reimage --all --dry-run/],
      [["disks", "rack-1"], /rack-1 has no disks: is a card inserted\?/],
    ] as const) {
      const { code, stdout, stderr } = await run(argv, { socket: empty.socket });
      assert.deepEqual([code, stdout], [0, ""]);
      assert.match(stderr, advice);
    }
    for (const argv of [["nodes"], ["images"], ["rollouts"], ["disks", "rack-1"]])
      assert.equal((await run([...argv, "--json"], { socket: empty.socket })).stdout, "[]\n");
    assert.deepEqual(await run(["events", "--json"], { socket: empty.socket }), { code: 0, stdout: "", stderr: "" });
  });

  it("events: passes on what is asked for", async () => {
    await run(["events", "--node", "rack-1", "--limit", "7"], { socket: controller.socket });
    assert.deepEqual([asked.node, asked.limit], ["rack-1", 7]);
  });

  it("short commands say what they did", async () => {
    for (const [argv, expected] of [
      [["node", "rename", "rack-1", "left"], "b8:27:eb:00:00:01 is now called left\n"],
      [
        ["node", "accept", "--all"],
        "accepted rack-1 (b8:27:eb:00:00:01)\naccepted node-b827eb000003 (b8:27:eb:00:00:03)\n",
      ],
      [["boot", "rack-1", "local", "--image", "debian-12"], "rack-1 boots local next\n"],
      [["reboot", "rack-1"], "rack-1 is rebooting\n"],
      [["images", "remove", "debian-12"], "removed debian-12\n"],
      [["cancel", "20261123-001800-k3f9"], cancelText],
    ] as const) {
      assert.deepEqual(await run(argv, { socket: controller.socket }), { code: 0, stdout: expected, stderr: "" });
    }
    assert.deepEqual([asked.target, asked.image], [BootTarget.BOOT_TARGET_LOCAL, "debian-12"]);
  });

  it("a refusal is told in the controller's words, with exit code 1", async () => {
    assert.deepEqual(await run(["node", "forget", "rack-1"], { socket: controller.socket }), {
      code: 1,
      stdout: "",
      stderr: "error: rack-1 is being reimaged: cancel r-1 first\n",
    });
  });

  it("a command that the controller does not know names the remedy", async () => {
    const { code, stderr } = await run(["status"], { socket: empty.socket });
    assert.equal(code, 1);
    assert.match(stderr, /does not know GetStatus: it is a different version than this program/);
  });
});
