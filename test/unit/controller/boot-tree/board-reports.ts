import { type BoardReport, boardReportFormat } from "../../../../controller/cli/view/board-report-view.ts";
import type { RequestSequence } from "./request-sequences.ts";

/**
 * The requests of one boot of a board, from its report, in the form of the sequences that are written down: what it
 * asked for by TFTP from its last power-on to the kernel. Requests that it repeated, to ask for the size first, are one.
 *
 * Throws an Error when it is no report, or when there is no request in it.
 */
export function sequenceFrom(report: BoardReport, name: string): RequestSequence {
  if (report.format !== boardReportFormat)
    throw new Error(`${name} is of form ${report.format}, not ${boardReportFormat}`);
  const paths = report.requests
    .filter(({ protocol, outcome }) => protocol === "tftp" && outcome !== "aborted")
    .map(({ path }) => path);
  const last = paths.findLastIndex((path, at) => isFirst(path) && !isFirst(paths[at - 1] ?? ""));
  const requests = paths.slice(Math.max(0, last)).map((path) => path.replace(/pallet\/[0-9a-f]{12}\//, "{prefix}"));
  if (requests.length === 0) throw new Error(`${name} has no request by TFTP`);
  return {
    name,
    source: `controller board-report of a ${report.node.facts?.model ?? "board of unknown model"}, ${report.madeAt.slice(0, 10)}`,
    evidence: "log",
    blockBytes: 1024,
    requests,
  };
}

/** What a board asks for first after power-on: the ROM of a Pi 2 or 3, the EEPROM of a Pi 4, and that of a Pi 5. */
function isFirst(path: string): boolean {
  return /^(bootcode\.bin|([^/]+\/)?(start4\.elf|pieeprom\.(sig|upd)))$/.test(path);
}
