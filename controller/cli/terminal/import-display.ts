import type { ImportProgress } from "../../../proto/gen/pallet/v1/controller.ts";
import type { CommandContext } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { formatPercent } from "../render/render-bar.ts";
import { renderTransfer } from "../render/render-transfer.ts";
import { formatMoment } from "../render/units.ts";
import { createLiveArea } from "./live-area.ts";

/** In a pipe, how often an unfinished step is printed again, in milliseconds. */
const stepEveryMs = 5_000;

/** Shows the progress of an import. */
export interface ImportDisplay {
  show(progress: ImportProgress): void;
  /** Tells a sentence that stays, on stderr. */
  tell(sentence: string): void;
  /** Removes what is shown only while it runs. */
  clear(): void;
}

/**
 * Shows the progress of an import in the way that fits the output: a bar on a terminal, occasional lines in a pipe, or
 * JSON.
 *
 * @param fileBytes length of the file; 0 when unknown
 */
export function createImportDisplay(context: CommandContext, name: string, fileBytes: number): ImportDisplay {
  const { effects, isJson, look, print, printJsonLine, note } = context;
  const { stdout, clock, monotonicClock } = effects;
  const isLive = !isJson && stdout.isTerminal && effects.env["TERM"] !== "dumb";
  const area = createLiveArea(stdout);
  const startedAt = monotonicClock.now();
  let told = { step: "", at: 0 };
  return {
    show(progress) {
      const doneBytes = Number(progress.received?.done ?? 0n);
      const totalBytes = Number(progress.received?.total ?? 0n) || fileBytes;
      if (isJson) {
        printJsonLine({ type: "import-progress", step: progress.step, doneBytes, totalBytes });
      } else if (isLive) {
        const bytesPerSecond = doneBytes / Math.max(0.001, (monotonicClock.now() - startedAt) / 1000);
        const etaMs =
          totalBytes > doneBytes && doneBytes > 0 ? ((totalBytes - doneBytes) / bytesPerSecond) * 1000 : null;
        const activity = progress.step;
        // Once everything is received, the byte count says nothing about the remaining steps.
        const isReceived = totalBytes > 0 ? doneBytes >= totalBytes : activity !== "receiving";
        const transfer = isReceived
          ? { activity, doneBytes: 0, totalBytes: 0 }
          : { activity, doneBytes, totalBytes, bytesPerSecond, etaMs };
        area.draw([renderTransfer(transfer, { ...look, width: Math.max(1, stdout.size().columns - 1) })]);
      } else {
        // A step may include its own progress: "packing 34%".
        const step = progress.step.replace(/ \d+%$/, "");
        if (step === told.step && monotonicClock.now() - told.at < stepEveryMs) return;
        told = { step, at: monotonicClock.now() };
        const received = doneBytes < totalBytes ? `, ${formatPercent((100 * doneBytes) / totalBytes)} received` : "";
        print([`${formatMoment(clock.now())} ${printable(name)}: ${printable(progress.step)}${received}`]);
      }
    },
    tell(sentence) {
      area.clear();
      note([printable(sentence)]);
    },
    clear: () => area.clear(),
  };
}
