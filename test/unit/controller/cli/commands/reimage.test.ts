import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import { Failure } from "../../../../../proto/failure.ts";
import type { StartRolloutRequest } from "../../../../../proto/gen/pallet/v1/controller.ts";
import { FailureReason } from "../../../../../proto/gen/pallet/v1/failure.ts";
import { OperationPhase } from "../../../../../proto/gen/pallet/v1/operation.ts";
import { ReimagePlan, type Rollout, RolloutState, SeenDisk } from "../../../../../proto/gen/pallet/v1/rollout.ts";
import { assertGolden } from "../../../../golden.ts";
import { anImage } from "../a-catalogue.ts";
import { jsonLines, run } from "../a-console.ts";
import {
  type AController,
  type Answers,
  answer,
  openStream,
  refusal,
  refuse,
  startController,
  stream,
} from "../a-controller.ts";
import { aFailure, aProof, aReimage, aRollout, aWrite, digest, ended, motley } from "../a-rollout.ts";

const seenDisk = SeenDisk.fromPartial({
  ...{ nodeId: "b8:27:eb:00:00:01", disk: "/dev/mmcblk0", sizeBytes: 31_914_983_424n, cid: "1b534d3030303030" },
  content: ['partition 1: 256 MiB, vfat "bootfs"'],
});

const plans = [
  ReimagePlan.fromPartial({
    nodeId: "b8:27:eb:00:00:01",
    nodeName: "rack-1",
    disk: "/dev/mmcblk0",
    diskBytes: 31_914_983_424n,
    erases: ["/dev/mmcblk0p1: vfat bootfs, 256 MiB", "/dev/mmcblk0p2: ext4 root\u001b[2Jfs, 29.5 GiB"],
    writeBytes: 2n ** 31n,
    steps: ["Netboot into the agent.", "Erase the partition table of /dev/mmcblk0.", "Wait for the proof of rack-1."],
    seen: seenDisk,
  }),
  ReimagePlan.fromPartial({
    nodeId: "b8:27:eb:00:00:02",
    nodeName: "rack-2",
    writeBytes: 2n ** 31n,
    steps: ["Netboot into the agent.", "Erase the partition table of the disk.", "Wait for the proof of rack-2."],
    note: "It is silent: the disk is chosen once its agent runs.",
  }),
];

const refused = ReimagePlan.fromPartial({
  nodeId: "b8:27:eb:00:00:03",
  nodeName: "rack-3",
  disk: "/dev/mmcblk0",
  diskBytes: 2n ** 30n,
  refusal: {
    reason: FailureReason.FAILURE_REASON_TOO_SMALL,
    message: "/dev/mmcblk0 has 1 GiB, the image needs 2 GiB",
  },
});

const done = aRollout([aProof("rack-1"), aProof("rack-2")], {
  state: RolloutState.ROLLOUT_STATE_SUCCEEDED,
  endedAt: new Date("2026-11-23T00:19:30Z"),
});

const journey: readonly Rollout[] = [
  aRollout([aReimage("rack-1"), aReimage("rack-2")]),
  aRollout([aWrite("rack-1", OperationPhase.OPERATION_PHASE_WRITING, 1n), aReimage("rack-2")]),
  aRollout([aWrite("rack-1", OperationPhase.OPERATION_PHASE_WRITING, 2n ** 30n), aProof("rack-2")]),
  done,
];

const terminal = { columns: 100, rows: 30 };

describe("reimage", () => {
  let controller: AController | undefined;
  let started: StartRolloutRequest[] = [];
  afterEach(async () => {
    await controller?.close();
    controller = undefined;
    started = [];
  });

  const start = async (answers: Answers = {}) => {
    controller = await startController({
      planRollout: answer(() => ({ image: anImage, plans: [...plans], onlyChanged: false })),
      startRollout: answer((request) => {
        started.push(request);
        return { rollout: journey[0] };
      }),
      watchRollout: stream(() => journey.map((rollout) => ({ rollout }))),
      ...answers,
    });
    return controller.socket;
  };

  it("--dry-run shows what would be erased and written where, and starts nothing", async () => {
    const socket = await start({
      planRollout: answer(() => ({ image: anImage, plans: [...plans, refused], onlyChanged: false })),
    });
    const { code, stdout, stderr } = await run(["reimage", "--all", "--dry-run"], { socket });
    assertGolden("cli/reimage-dry-run", stdout);
    assert.equal(stderr, "Dry run; nothing was erased or written.\n");
    assert.equal(code, 1, "one node would be refused");
    assert.deepEqual(started, []);
  });

  it("--dry-run has exit code 0 when no node would be refused", async () => {
    const socket = await start();
    assert.equal((await run(["reimage", "--all", "--dry-run"], { socket })).code, 0);
  });

  it("asks on a terminal and erases nothing when the answer is not yes", async () => {
    const socket = await start();
    for (const input of [["no"], ["y"], [""], []]) {
      const { code, stderr } = await run(["reimage", "--all"], { socket, terminal, input });
      assert.equal(code, 1);
      assert.match(stderr, /^Erase the disks above on 2 nodes and install debian-12\? Type yes: /);
      assert.match(stderr, /Not confirmed; nothing was erased\.\n$/);
    }
    assert.deepEqual(started, []);
  });

  it("after yes starts exactly what was shown, with an id of its own, and watches it to the proof", async () => {
    const socket = await start();
    const { code, stderr } = await run(["reimage", "--all", "--disk", "/dev/mmcblk0"], {
      socket,
      terminal,
      input: ["yes"],
    });
    assert.equal(code, 0, stderr);
    assert.deepEqual(started, [
      {
        rolloutId: "20261123-002000-aaaa",
        rollout: {
          nodes: ["b8:27:eb:00:00:01", "b8:27:eb:00:00:02"],
          all: false,
          imageName: "debian-12",
          disk: "/dev/mmcblk0",
          noResident: false,
          full: false,
          noGrow: false,
          noProfiles: false,
          growToBytes: 0n,
          imageDigest: digest,
          seen: [seenDisk],
          onlyChanged: false,
          retryOf: "",
        },
      },
    ]);
  });

  for (const [flag, field] of [
    ["--no-resident", "noResident"],
    ["--full", "full"],
    ["--no-grow", "noGrow"],
  ] as const) {
    it(`${flag} is passed on to the plan and to the rollout`, async () => {
      const planned: (boolean | undefined)[] = [];
      const socket = await start({
        planRollout: answer(({ rollout }) => {
          planned.push(rollout?.[field]);
          return { image: anImage, plans: [...plans], onlyChanged: false };
        }),
      });
      assert.equal((await run(["reimage", "--all", flag, "--yes"], { socket })).code, 0);
      assert.deepEqual(planned, [true]);
      assert.deepEqual(
        started.map(({ rollout }) => rollout?.[field]),
        [true],
      );
    });
  }

  it("draws the live table in place on a terminal, and leaves the summary", async () => {
    const socket = await start();
    const { stdout } = await run(["reimage", "--all", "--yes"], { socket, terminal, env: { NO_COLOR: "1" } });
    const afterStart = stdout.slice(stdout.indexOf("Rollout 20261123-002000-aaaa started on 2 nodes."));
    assertGolden("cli/reimage-live", afterStart.replaceAll("\u001b", "^["));
  });

  it("writes plain lines to a pipe", async () => {
    const socket = await start();
    const { code, stdout } = await run(["reimage", "--all", "--yes"], { socket });
    assert.equal(code, 0);
    assertGolden("cli/reimage-piped", stdout);
  });

  it("writes one JSON object a line with --json: the plan, the start, every change, the end", async () => {
    const socket = await start();
    const { code, stdout, stderr } = await run(["reimage", "--all", "--yes", "--json"], { socket });
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = jsonLines(stdout);
    assert.deepEqual(
      lines.map(({ type }) => type),
      ["plan", "rollout-started", ...Array.from({ length: 6 }, () => "reimage-changed"), "rollout-ended"],
    );
    assertGolden("cli/reimage.json", stdout);
  });

  it("leaves refused nodes out and cannot then end with exit code 0", async () => {
    const socket = await start({
      planRollout: answer(() => ({ image: anImage, plans: [...plans, refused], onlyChanged: false })),
    });
    const { code, stdout, stderr } = await run(["reimage", "--all", "--yes"], { socket });
    assert.equal(code, 1);
    assert.match(
      stdout,
      /Refused: rack-3 \(\/dev\/mmcblk0, 1\.00 GiB\): \/dev\/mmcblk0 has 1 GiB, the image needs 2 GiB/,
    );
    assert.equal(stderr, "Not included, because they were refused (see above): rack-3\n");
    assert.deepEqual(started[0]?.rollout?.nodes, ["b8:27:eb:00:00:01", "b8:27:eb:00:00:02"]);
  });

  it("starts nothing when every node is refused", async () => {
    const socket = await start({
      planRollout: answer(() => ({ image: anImage, plans: [refused], onlyChanged: false })),
    });
    const { code, stderr } = await run(["reimage", "rack-3", "--yes"], { socket });
    assert.deepEqual([code, stderr], [1, "error: every node was refused; nothing was erased\n"]);
    assert.deepEqual(started, []);
  });

  it("says how to accept nodes when there are none", async () => {
    const socket = await start({ planRollout: answer(() => ({ image: anImage, plans: [], onlyChanged: false })) });
    const { code, stderr } = await run(["reimage", "--all", "--yes"], { socket });
    assert.equal(code, 1);
    assert.match(stderr, /no nodes are accepted: .*controller node accept/);
  });

  it("has exit code 1 and tells why when a node fails", async () => {
    const socket = await start({ watchRollout: stream(() => [{ rollout: motley }, { rollout: ended }]) });
    const { code, stdout } = await run(["reimage", "--all", "--yes"], { socket });
    assert.equal(code, 1);
    assert.match(stdout, /rack-4: \/dev\/mmcblk0 does not hold what was written to it/);
    assert.match(stdout, /what to do: Try once more; if the card fails again, it is worn out/);
  });

  it("--detach starts it and says how to watch and to cancel it", async () => {
    const socket = await start();
    const { code, stdout } = await run(["reimage", "--all", "--yes", "--detach", "--socket", socket]);
    assert.equal(code, 0);
    const id = "20261123-002000-aaaa";
    assert.ok(
      stdout.endsWith(
        `Rollout ${id} started on 2 nodes.\n\n` +
          `  watch it again:  controller watch ${id} --socket ${socket}\n` +
          `  cancel it:       controller cancel ${id} --socket ${socket}\n`,
      ),
      stdout,
    );
  });

  it("Ctrl-C stops watching, says how to come back, and leaves the rollout alone", async () => {
    let cancelled = 0;
    const socket = await start({
      watchRollout: openStream(() => [{ rollout: motley }]),
      cancelRollout: answer(() => {
        cancelled += 1;
        return { rollout: motley, summary: undefined };
      }),
    });
    const { code, stdout, stderr } = await run(["reimage", "--all", "--yes"], {
      socket,
      terminal,
      onWrite: ({ stdout: soFar }, press) => {
        if (soFar.includes("rack-5")) press("SIGINT");
      },
    });
    assert.equal(code, 130);
    assert.equal(cancelled, 0);
    assert.ok(stdout.endsWith("\u001b[J"), "the table is removed");
    assert.equal(
      stderr,
      "Stopped watching. Rollout 20261123-002000-aaaa continues in the controller.\n" +
        "  watch it again:  controller watch 20261123-002000-aaaa\n" +
        "  cancel it:       controller cancel 20261123-002000-aaaa\n",
    );
  });

  it("SIGTERM does the same with its own exit code", async () => {
    const socket = await start({ watchRollout: openStream(() => [{ rollout: motley }]) });
    const { code } = await run(["reimage", "--all", "--yes"], {
      socket,
      onWrite: ({ stdout }, press) => {
        if (stdout.includes("rack-5")) press("SIGTERM");
      },
    });
    assert.equal(code, 143);
  });

  it("Ctrl-C at the question erases nothing", async () => {
    const socket = await start();
    const { code } = await run(["reimage", "--all"], {
      socket,
      terminal,
      onWrite: ({ stderr }, press) => {
        if (stderr.endsWith("Type yes: ")) press("SIGINT");
      },
    });
    assert.equal(code, 130);
    assert.deepEqual(started, []);
  });

  it("repeats the start with the same id when the answer is lost", async () => {
    let attempts = 0;
    const socket = await start({
      startRollout: (call, callback) => {
        attempts += 1;
        started.push(call.request);
        if (attempts === 1) callback(refusal(status.UNAVAILABLE, new Failure("node-silent", "shutting down")));
        else callback(null, { rollout: journey[0] });
      },
    });
    assert.equal((await run(["reimage", "--all", "--yes"], { socket })).code, 0);
    assert.equal(started.length, 2);
    assert.deepEqual(started[0], started[1]);
  });

  it("tells a refusal of the start in the controller's words", async () => {
    const busy = new Failure("invalid", "rack-1 is being reimaged by r-1: wait, or cancel it");
    const socket = await start({ startRollout: refuse(status.FAILED_PRECONDITION, busy) });
    const { code, stderr } = await run(["reimage", "--all", "--yes"], { socket });
    assert.deepEqual([code, stderr], [1, `error: ${busy.message}\n`]);
  });
});

describe("watch", () => {
  let controller: AController;
  afterEach(() => controller.close());

  it("goes on where it was when the controller is restarted", async () => {
    controller = await startController({
      listRollouts: answer(() => ({ rollouts: [motley] })),
      watchRollout: openStream(() => [{ rollout: journey[1] }]),
    });
    let isRestarted = false;
    const { code, stdout } = await run(["watch"], {
      socket: controller.socket,
      onWrite: ({ stdout: soFar }) => {
        if (isRestarted || !soFar.includes("writing")) return;
        isRestarted = true;
        controller.stop();
        setTimeout(() => {
          void controller.restart({ watchRollout: stream(() => [{ rollout: journey[2] }, { rollout: done }]) });
        }, 60);
      },
    });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /the controller is not answering; retrying\n.*the controller is answering again\n/s);
    assert.match(stdout, /2 of 2 nodes proved/);
  });

  it("shows on a terminal that the controller is away", async () => {
    controller = await startController({ watchRollout: openStream(() => [{ rollout: journey[1] }]) });
    let isStopped = false;
    const { code, stdout } = await run(["watch", "20261123-001800-k3f9"], {
      socket: controller.socket,
      terminal,
      onWrite: ({ stdout: soFar }, press) => {
        if (soFar.includes("has not answered for")) press("SIGINT");
        if (isStopped || !soFar.includes("writing")) return;
        isStopped = true;
        controller.stop();
      },
    });
    assert.equal(code, 130);
    assert.match(stdout, /The controller has not answered for 0s; retrying\. This is the last known state\./);
  });

  it("does not take a stream that ends early for the end of the rollout", async () => {
    let streams = 0;
    controller = await startController({
      watchRollout: stream(() => {
        streams += 1;
        return streams === 1 ? [{ rollout: journey[1] }] : [{ rollout: done }];
      }),
    });
    assert.equal((await run(["watch", "x"], { socket: controller.socket })).code, 0);
    assert.equal(streams, 2);
  });

  it("ends at once for a rollout that does not exist", async () => {
    const missing = refusal(status.NOT_FOUND, new Failure("invalid", "there is no rollout x"));
    controller = await startController({ watchRollout: (call) => void call.emit("error", missing) });
    assert.deepEqual(await run(["watch", "x"], { socket: controller.socket }), {
      code: 1,
      stdout: "",
      stderr: "error: there is no rollout x\n",
    });
  });

  it("without an id and without rollouts says how to begin", async () => {
    controller = await startController({ listRollouts: answer(() => ({ rollouts: [] })) });
    const { code, stderr } = await run(["watch"], { socket: controller.socket });
    assert.equal(code, 1);
    assert.match(stderr, /no rollouts yet/);
  });

  it("--json tells a lost connection too", async () => {
    let streams = 0;
    controller = await startController({
      watchRollout: (call) => {
        streams += 1;
        call.write({ rollout: streams === 1 ? aRollout([aFailure("rack-4")]) : ended });
        if (streams === 1) call.emit("error", { code: status.UNAVAILABLE, details: "closing" });
        else call.end();
      },
    });
    const { stdout } = await run(["watch", "x", "--json"], { socket: controller.socket });
    const types = jsonLines(stdout).map(({ type }) => type);
    assert.deepEqual(types.slice(0, 3), ["reimage-changed", "connection-lost", "connection-restored"]);
    assert.equal(types.at(-1), "rollout-ended");
  });
});

describe("what needs no reimage", () => {
  let controller: AController | undefined;
  afterEach(async () => {
    await controller?.close();
    controller = undefined;
  });
  const same = ReimagePlan.fromPartial({
    ...{ nodeId: "b8:27:eb:00:00:03", nodeName: "rack-3", unchanged: "it has proved that it runs debian-12" },
  });
  const start = async (planned: readonly ReimagePlan[], onlyChanged: boolean) => {
    const asked: StartRolloutRequest[] = [];
    controller = await startController({
      planRollout: answer(() => ({ image: anImage, plans: [...planned], onlyChanged })),
      startRollout: answer((request: StartRolloutRequest) => {
        asked.push(request);
        return { rollout: done };
      }),
      watchRollout: stream(() => [{ rollout: done }]),
    });
    return { asked, socket: controller.socket };
  };

  it("is left alone, named and counted", async () => {
    const { asked, socket } = await start([...plans, same], true);
    const { code, stdout } = await run(["reimage", "--all", "--only-changed", "--yes"], { socket });
    assert.equal(code, 0);
    assert.match(stdout, /^Left alone: 1 node, rack-3: it has proved that it runs debian-12$/m);
    assert.deepEqual(asked[0]?.rollout?.nodes, ["b8:27:eb:00:00:01", "b8:27:eb:00:00:02"]);
  });

  it("is said when it is all there is, and nothing is done, with exit code 0 and without a question", async () => {
    const { asked, socket } = await start([same], true);
    const { code, stderr } = await run(["reimage", "--all", "--only-changed"], { socket, terminal });
    assert.deepEqual([code, stderr], [0, "Nothing to do: every node runs debian-12 already.\n"]);
    assert.deepEqual(asked, []);
  });

  it("is not taken for granted of a controller that does not know --only-changed", async () => {
    const { asked, socket } = await start(plans, false);
    const { code, stderr } = await run(["reimage", "--all", "--only-changed", "--yes"], { socket });
    assert.equal(code, 1);
    assert.match(stderr, /the controller is older .* it would reimage every node/);
    assert.deepEqual(asked, []);
  });

  it("rollout retry asks with the plan, and starts the failed nodes again as they were seen", async () => {
    const { asked, socket } = await start(plans, true);
    const { code, stderr } = await run(["rollout", "retry", "r-1"], { socket, terminal, input: ["yes"] });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /install debian-12\? Type yes: /);
    assert.partialDeepStrictEqual(asked[0]?.rollout, {
      ...{ nodes: ["b8:27:eb:00:00:01", "b8:27:eb:00:00:02"], retryOf: "r-1", imageDigest: digest, imageName: "" },
      seen: [seenDisk],
    });
  });

  it("rollout retry has nothing to do when nothing failed", async () => {
    const { socket } = await start([], true);
    const { code, stderr } = await run(["rollout", "retry", "r-1", "--yes"], { socket });
    assert.deepEqual([code, stderr], [0, "Nothing to do: no node of rollout r-1 failed or was cancelled.\n"]);
  });
});
