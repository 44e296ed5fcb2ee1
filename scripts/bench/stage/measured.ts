import { type ControlGroup, createControlGroup } from "../measure/control-group.ts";
import type { Figures } from "../measure/figures.ts";
import { parseLinkBytes } from "../measure/parse-counters.ts";
import type { BenchStage } from "./bench-stage.ts";
import type { Place } from "./started-program.ts";

/** What the receiver's interface has received so far, in bytes. */
export async function receivedBytes(stage: BenchStage): Promise<number> {
  return parseLinkBytes(await stage.receiver.run("ip", ["-json", "-statistics", "link", "show", "dev", "eth0"]))
    .receivedBytes;
}

/** Runs a program on the receiver, in a control group of its own, and says what that has cost. */
export async function measured(
  stage: BenchStage,
  server: ControlGroup,
  work: (place: Place) => Promise<void>,
): Promise<Omit<Figures, "peakResidentBytes">> {
  const group = await createControlGroup("run");
  try {
    const before = {
      wire: await receivedBytes(stage),
      card: await stage.card.traffic(),
      server: await server.cpuSeconds(),
    };
    const startedAt = performance.now();
    await work({ group, namespace: stage.receiver });
    const wallSeconds = (performance.now() - startedAt) / 1000;
    const card = await stage.card.traffic();
    return {
      wallSeconds,
      cpuSeconds: await group.cpuSeconds(),
      serverCpuSeconds: (await server.cpuSeconds()) - before.server,
      wireBytes: (await receivedBytes(stage)) - before.wire,
      writtenBytes: card.writtenBytes - before.card.writtenBytes,
      readBytes: card.readBytes - before.card.readBytes,
    };
  } finally {
    await group.remove();
  }
}
