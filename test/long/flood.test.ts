// A stranger floods a rack of twenty nodes with 100,000 malformed packets and messages while it is reimaged: every
// verdict is right, whoever asks well is served, and the controller grows by no more than half.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { settings } from "../../controller/config/settings.ts";
import { RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { assertHoldsImage } from "../rack/card-content.ts";
import type { Port } from "../rack/network.ts";
import type { NetworkNamespace } from "../rack/network-namespace.ts";
import { createRack, type Rack } from "../rack/rack.ts";
import { tell } from "../rack/story.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import type { GoodOrder, Served } from "./flood/ask-well.ts";
import type { FloodOrder, FloodReport } from "./flood/send-flood.ts";

const nodes = 20;
const leastMessages = 100_000;
/** Of each kind of question that the good client asks. */
const leastAnswers = 20;
/** How far the controller may grow. */
const mostGrowth = 1.5;
/** Until what the flood left open is given up: the longest of the limits for idle connections and transfers. */
const settleMs = 70_000;
const ports = {
  tftp: settings.tftpPort.fallback,
  http: settings.httpPort.fallback,
  https: settings.httpsPort.fallback,
  grpc: settings.grpcPort.fallback,
};
const kernel = "agent/vmlinuz";

/** A program on the rack's network that goes on until it is told to stop, and then prints what came of it. */
function start<Report>(place: NetworkNamespace, file: string, order: object): Running<Report> {
  const program = [path.join(import.meta.dirname, "flood", file), JSON.stringify(order)];
  const child = spawn("nsenter", [`--net=${place.path}`, "--", process.execPath, ...program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const said = text(child.stdout);
  return {
    child,
    async stop() {
      child.stdin.end();
      const report = await said;
      assert.notEqual(report, "", `${file} ended without a report`);
      return JSON.parse(report) as Report;
    },
  };
}

interface Running<Report> {
  readonly child: ChildProcess;
  stop(): Promise<Report>;
}

describe("a rack that is flooded", requires("root", "loop devices"), () => {
  let rack: Rack;
  let image: TinyImage;
  const powered: Port[] = [];
  before(async () => {
    rack = await createRack({
      nodes,
      cardBytes: 32 * 1024 * 1024,
      settings: {
        dhcp: { mode: "server", interface: "rack", range: ["10.77.0.110", "10.77.0.189"], replyDelaySeconds: 0 },
      },
    });
    image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
    // What a rollout needs by itself is no growth by the flood.
    await rollOut();
  });
  after(async () => {
    for (const port of powered) await port.powerOff();
    await rack?.close();
  });

  async function plugIn(number: number): Promise<{ readonly place: NetworkNamespace; readonly address: string }> {
    const port = rack.network.plug(number, `02:00:00:00:00:${number}`);
    powered.push(port);
    return { place: await port.powerOn(), address: port.address };
  }

  /** What the kernel says of the controller's resident memory, in KiB. */
  async function residentKiB(): Promise<number> {
    const status = await readFile(`/proc/${rack.controller.pid()}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  }

  /** Most resident memory of the controller while the work is done, in KiB. */
  async function peakWhile(work: () => Promise<unknown>): Promise<number> {
    let peak = 0;
    const done = new AbortController();
    const watched = (async () => {
      while (!done.signal.aborted) {
        peak = Math.max(peak, await residentKiB());
        await delay(250);
      }
    })();
    await Promise.race([work(), watched]).finally(() => done.abort());
    await watched;
    return peak;
  }

  async function rollOut(): Promise<void> {
    await rack.palletOk("reimage", "--all", "--image", "image", "--full", "--yes");
    const [rollout] = await rack.client.rollouts();
    assert.equal(rollout?.state, RolloutState.ROLLOUT_STATE_SUCCEEDED);
    assert.equal(rollout.reimages.length, nodes);
    assert.equal(new Set(rollout.reimages.map(({ proof }) => proof?.bootId)).size, nodes);
    for (const { card } of rack.boards) await assertHoldsImage(card, image);
  }

  it("has every node proved, serves the good, and grows by no more than half", { timeout: 1_800_000 }, (test) =>
    tell(rack, async () => {
      const server = rack.network.address;
      const macs = rack.boards.map(({ mac }) => mac);
      const bundle = path.join(rack.folder, "good.pem");
      await rack.palletOk("operator", "add", "good", "--role", "viewer", "--output", bundle);
      const { pack } = JSON.parse(await rack.palletOk("images", "show", "image", "--json")) as {
        pack: { manifestDigest: string };
      };
      const kernelBytes = await readFile(path.join(rack.folder, "boot", kernel));
      const good: GoodOrder = {
        ...{ server, ports, bundle, macs },
        kernel: { path: kernel, sha256: createHash("sha256").update(kernelBytes).digest("hex") },
        manifest: pack.manifestDigest,
      };
      const agentPort = (await rack.client.nodes()).find(({ agent }) => agent !== undefined)?.agent?.port ?? 0;
      const before = await residentKiB();
      const stranger = await plugIn(90);
      const own = [stranger.address, ...[1, 2, 3, 4, 5, 6, 7].map((last) => server.replace(/\d+$/, `20${last}`))];
      for (const address of own.slice(1))
        await stranger.place.run("ip", ["addr", "add", `${address}/24`, "dev", "eth0"]);
      const flood: FloodOrder = {
        ...{ server, own, kernel, least: leastMessages, seed: 1 },
        ports: { ...ports, agent: agentPort },
        nodes: rack.boards.map(({ mac, address }) => ({ mac, address })),
      };
      const client = start<Readonly<Record<string, Served>>>((await plugIn(91)).place, "ask-well.ts", good);
      test.after(() => client.child.kill("SIGKILL"));
      const sending = start<FloodReport>(stranger.place, "send-flood.ts", flood);
      test.after(() => sending.child.kill("SIGKILL"));
      let report: FloodReport | undefined;
      const peak = await peakWhile(async () => {
        // The rollout begins in the middle of it.
        await delay(5_000);
        await rollOut();
        report = await sending.stop();
      });
      const served = await client.stop();
      await delay(settleMs);
      const end = await residentKiB();

      test.diagnostic(`resident memory of the controller, in KiB: ${JSON.stringify({ before, peak, end })}`);
      test.diagnostic(`messages: ${JSON.stringify(report)}`);
      test.diagnostic(`the good client: ${JSON.stringify(served)}`);
      assert.ok((report?.total ?? 0) >= leastMessages);
      for (const [name, { right, wrong }] of Object.entries(served)) {
        assert.deepEqual(wrong, [], name);
        assert.ok(right >= leastAnswers, `${name} was asked ${right} times`);
      }
      const listed = await rack.client.nodes();
      for (const { mac, address } of rack.boards) {
        const node = listed.find(({ nodeId }) => nodeId === mac);
        assert.equal(node?.provedImageName, "image", mac);
        assert.equal(node.online, true, mac);
        assert.equal(node.address.split(":", 1)[0], address, mac);
      }
      assert.ok(peak <= mostGrowth * before, `${peak} KiB at most during the flood, ${before} KiB before it`);
      assert.ok(end <= mostGrowth * before, `${end} KiB after the flood, ${before} KiB before it`);
    }),
  );
});
