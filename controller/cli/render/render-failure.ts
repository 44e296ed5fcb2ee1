import type { FailureView } from "../view/failure-view.ts";
import { printable, printableLines } from "./printable.ts";

/** Lines that a task has written stay lines. */
function renderFound(lines: readonly string[]): string[] {
  return lines.length === 1 ? [`found:    ${lines[0]}`] : ["found:", ...lines.map((line) => `  ${line}`)];
}

/**
 * A failure as lines for a person: its message, its evidence, and what to do about it.
 *
 * @param remedy a sentence from remedy.ts, if there is one
 */
export function renderFailure(failure: FailureView, remedy?: string): string[] {
  const { range, expected, found } = failure;
  return [
    ...printableLines(failure.message),
    ...(range === null
      ? []
      : [`where: ${printable(range.device)}, bytes ${range.offsetBytes} to ${range.offsetBytes + range.lengthBytes}`]),
    ...(expected === null ? [] : [`expected: ${printable(expected)}`]),
    ...(found === null ? [] : renderFound(printableLines(found))),
    ...(remedy === undefined ? [] : [`what to do: ${printable(remedy)}`]),
  ];
}
