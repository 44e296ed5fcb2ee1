import type { FailureView } from "../view/failure-view.ts";
import { printable, printableLines } from "./printable.ts";

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
    ...(found === null ? [] : [`found:    ${printable(found)}`]),
    ...(remedy === undefined ? [] : [`what to do: ${printable(remedy)}`]),
  ];
}
