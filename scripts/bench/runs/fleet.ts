import path from "node:path";
import { type ControlGroup, createControlGroup } from "../measure/control-group.ts";
import { parseLinkBytes } from "../measure/parse-counters.ts";
import { median } from "../measure/statistics.ts";
import type { AgentOrder } from "../stage/agent-order.ts";
import { agentPort, startAgent } from "../stage/bench-agent.ts";
import { type BenchCard, createBenchCard } from "../stage/bench-card.ts";
import type { BenchStage } from "../stage/bench-stage.ts";
import { planWrite } from "../stage/plan-write.ts";
import { changeInto, runOrders } from "../stage/run-orders.ts";

/** What it takes to write one image to many cards at once. */
export interface FleetFigures {
  readonly agents: number;
  /** From the first order to the last success. */
  readonly wallSeconds: number;
  /** Of one node, from the order to its success. */
  readonly medianNodeSeconds: number;
  readonly wireBytes: number;
  /**
   * Of all nodes while anything was fetched: bytes of the wire over the time until the last node began to read back.
   */
  readonly wireBytesPerSecond: number;
  readonly controllerCpuSeconds: number;
  readonly agentCpuSeconds: number;
}

const cardSlackBytes = 64 * 1024 ** 2;
/** Rates in bits a second, as tc(8) takes them; the bucket holds one segment as the kernel hands it over (64 KiB). */
const uplink = { rate: "1gbit", burst: "256kb" };
const nodeRateBytesPerSecond = 100e6 / 8;

/**
 * Writes the image to the cards of several agents at once, each behind 100 Mb/s, all behind the controller's 1 Gb/s.
 */
export async function measureFleet(stage: BenchStage, agents: number, sizeBytes: number): Promise<FleetFigures> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const { network } = stage;
    await network.namespace.run("tc", [
      ...["qdisc", "replace", "dev", "rack", "root", "tbf"],
      ...["rate", uplink.rate, "burst", uplink.burst, "latency", "50ms"],
    ]);
    undo.push(() => network.namespace.run("tc", ["qdisc", "del", "dev", "rack", "root"]));
    const image = await stage.controller.image("system");
    const nodes: { order: AgentOrder; group: ControlGroup; received: () => Promise<number> }[] = [];
    for (let number = 1; number <= agents; number += 1) {
      const mac = `02:be:9c:00:01:${number.toString(16).padStart(2, "0")}`;
      // The first socket of the switch is the other contenders'.
      const port = network.plug(number + 1, mac);
      await port.limit(nodeRateBytesPerSecond);
      const namespace = await port.powerOn();
      undo.push(port.powerOff);
      const group = await createControlGroup(`agent-${number}`);
      undo.push(group.remove);
      const card: BenchCard = await createBenchCard(
        path.join(stage.folder, `card-${number}`),
        sizeBytes + cardSlackBytes,
      );
      undo.push(card.close);
      const agent = await startAgent(stage, { mac, place: { group, namespace }, controller: stage.controller });
      undo.push(agent.stop);
      const spec = planWrite(image, stage.controller.imagesBase, card.device, true);
      nodes.push({
        group,
        order: { address: port.address, port: agentPort, spec, cpuStat: path.join(group.folder, "cpu.stat") },
        received: async () =>
          parseLinkBytes(await namespace.run("ip", ["-json", "-statistics", "link", "show", "dev", "eth0"]))
            .receivedBytes,
      });
    }
    const received = async () => (await Promise.all(nodes.map((node) => node.received()))).reduce((a, b) => a + b, 0);
    const wireBefore = await received();
    const controllerBefore = await stage.controllerGroup.cpuSeconds();
    const changes = await runOrders(
      stage.driver,
      stage.controller,
      nodes.map(({ order }) => order),
    );
    const times = nodes.map((_, index) => {
      const [asked, read, done] = ["asked", "verifying", "succeeded"].map((phase) => changeInto(changes, phase, index));
      if (asked === undefined || read === undefined || done === undefined) throw new Error("unreachable");
      return { asked: asked.atMs, read: read.atMs, done: done.atMs, cpu: done.cpuSeconds - asked.cpuSeconds };
    });
    const first = Math.min(...times.map(({ asked }) => asked));
    const wireBytes = (await received()) - wireBefore;
    return {
      agents,
      wallSeconds: (Math.max(...times.map(({ done }) => done)) - first) / 1000,
      medianNodeSeconds: median(times.map(({ asked, done }) => (done - asked) / 1000)),
      wireBytes,
      wireBytesPerSecond: wireBytes / ((Math.max(...times.map(({ read }) => read)) - first) / 1000),
      controllerCpuSeconds: (await stage.controllerGroup.cpuSeconds()) - controllerBefore,
      agentCpuSeconds: times.reduce((sum, { cpu }) => sum + cpu, 0),
    };
  } finally {
    for (const step of undo.reverse()) await step();
  }
}
