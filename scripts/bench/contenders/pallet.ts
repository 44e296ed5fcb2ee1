import { readFile } from "node:fs/promises";
import path from "node:path";
import { createControlGroup } from "../measure/control-group.ts";
import { parsePeakResidentBytes } from "../measure/parse-counters.ts";
import { agentPort, startAgent } from "../stage/bench-agent.ts";
import type { Instructions } from "../stage/hide-aes.ts";
import { receivedBytes } from "../stage/measured.ts";
import { planCustomisation } from "../stage/plan-profile.ts";
import { planWrite } from "../stage/plan-write.ts";
import { noHiddenAes } from "../stage/receiver-processor.ts";
import { changeInto, runOrders } from "../stage/run-orders.ts";
import { type Contender, placingPart } from "./contender.ts";

/**
 * One write by a real agent, restarted for every run as a node that has just booted has it. The agent's own start is
 * not part of it: it happens once a boot, whatever is written then.
 */
function palletContender(
  contender: Pick<Contender, "id" | "title" | "before" | "after"> & {
    readonly image: "system" | "upgraded" | "anew";
    readonly full: boolean;
    /** What is placed into the new system; default: nothing. */
    readonly placed?: "stamp" | "profile";
    /** Default: by TLS. */
    readonly insecure?: boolean;
    /** Default: all that this processor has. */
    readonly instructions?: Instructions;
  },
): Contender {
  const { image, full, placed, insecure = false, instructions = "all", ...rest } = contender;
  return {
    ...rest,
    verifies: true,
    absence: async ({ processors }) => (processors[instructions] === undefined ? noHiddenAes : undefined),
    async run(stage) {
      const controller = insecure ? stage.insecureController : stage.controller;
      const stored = await controller.image(image);
      const written = planWrite(stored, controller.imagesBase, stage.card.device, full);
      const spec = { ...written, ...(placed !== undefined && { customisation: planCustomisation(stored, placed) }) };
      const group = await createControlGroup("agent");
      const place = { group, namespace: stage.receiver };
      const processor = stage.processors[instructions];
      const agent = await startAgent(stage, { mac: stage.mac, place, controller, processor }).catch(
        async (error: unknown) => {
          await group.remove();
          throw error;
        },
      );
      try {
        const before = {
          wire: await receivedBytes(stage),
          card: await stage.card.traffic(),
          server: await stage.controllerGroup.cpuSeconds(),
        };
        const cpuStat = path.join(group.folder, "cpu.stat");
        const order = { address: stage.address, port: agentPort, spec, cpuStat };
        const changes = await runOrders(stage.driver, controller, [order]);
        const [asked, done] = [changeInto(changes, "asked"), changeInto(changes, "succeeded")];
        const card = await stage.card.traffic();
        const figures = {
          wallSeconds: (done.atMs - asked.atMs) / 1000,
          cpuSeconds: done.cpuSeconds - asked.cpuSeconds,
          serverCpuSeconds: (await stage.controllerGroup.cpuSeconds()) - before.server,
          wireBytes: (await receivedBytes(stage)) - before.wire,
          writtenBytes: card.writtenBytes - before.card.writtenBytes,
          readBytes: card.readBytes - before.card.readBytes,
          peakResidentBytes: parsePeakResidentBytes(await readFile(`/proc/${agent.pid}/status`, "utf8")),
        };
        const verifying = changes.find(({ phase }) => phase === "verifying");
        const writeOnly = verifying && {
          wallSeconds: (verifying.atMs - asked.atMs) / 1000,
          cpuSeconds: verifying.cpuSeconds - asked.cpuSeconds,
        };
        const placing = placed === undefined ? undefined : durationOf(changes, "customising");
        stage.note(`${rest.id}: ${describeChanges(changes)}`);
        return {
          figures,
          parts: {
            ...(full && placed === undefined && writeOnly && { [`${rest.id}-write-only`]: writeOnly }),
            ...(placing && { [`${rest.id}-${placingPart}`]: placing }),
          },
        };
      } finally {
        await agent.stop();
        await group.remove();
      }
    },
  };
}

/** What a phase of a write has taken, from its beginning to that of the next one. */
function durationOf(
  changes: readonly { phase: string; atMs: number; cpuSeconds: number }[],
  phase: string,
): { readonly wallSeconds: number; readonly cpuSeconds: number } | undefined {
  const at = changes.findIndex((change) => change.phase === phase);
  const [begun, ended] = [changes[at], changes[at + 1]];
  if (begun === undefined || ended === undefined) return undefined;
  return { wallSeconds: (ended.atMs - begun.atMs) / 1000, cpuSeconds: ended.cpuSeconds - begun.cpuSeconds };
}

/** The phases of one write with their durations, to see where the time goes. */
function describeChanges(
  changes: readonly { phase: string; atMs: number; cpuSeconds: number; progress?: object }[],
): string {
  const steps = changes.slice(1).map((change, index) => {
    const before = changes[index] ?? change;
    const wall = ((change.atMs - before.atMs) / 1000).toFixed(2);
    return `${before.phase} ${wall} s (${(change.cpuSeconds - before.cpuSeconds).toFixed(2)} CPU-s)`;
  });
  return `${steps.join(", ")}; ${JSON.stringify(changes.at(-1)?.progress)}`;
}

export const palletContenders: readonly Contender[] = [
  palletContender({
    id: "pallet-full",
    title: "Pallet, write + verify, nothing compared before (`--full`)",
    before: "another system",
    after: "the image",
    image: "system",
    full: true,
  }),
  palletContender({
    id: "pallet-full-no-aes",
    title: "… the same where AES instructions are hidden",
    before: "another system",
    after: "the image",
    image: "system",
    full: true,
    instructions: "no AES",
  }),
  palletContender({
    id: "pallet-full-plain",
    title: "… the same without TLS (`--insecure`)",
    before: "another system",
    after: "the image",
    image: "system",
    full: true,
    insecure: true,
  }),
  palletContender({
    id: "pallet-full-stamp",
    title: "… the same, with a stamp in the new system",
    before: "another system",
    after: "the image, customised",
    image: "system",
    full: true,
    placed: "stamp",
  }),
  palletContender({
    id: "pallet-full-profile",
    title: "… the same, with all that a profile says",
    before: "another system",
    after: "the image, customised",
    image: "system",
    full: true,
    placed: "profile",
  }),
  palletContender({
    id: "pallet",
    title: "Pallet, write + verify, compared with another system before (the default)",
    before: "another system",
    after: "the image",
    image: "system",
    full: false,
  }),
  palletContender({
    id: "pallet-same",
    title: "Pallet, the same image again",
    before: "the image",
    after: "the image",
    image: "system",
    full: false,
  }),
  palletContender({
    id: "pallet-upgraded",
    title: "Pallet, 27 packages upgraded, in the old image's layout (`images derive`)",
    before: "the image",
    after: "the upgraded image",
    image: "upgraded",
    full: false,
  }),
  palletContender({
    id: "pallet-anew",
    title: "Pallet, 27 packages upgraded, the new build as it is",
    before: "the image",
    after: "the upgraded image",
    image: "anew",
    full: false,
  }),
];
