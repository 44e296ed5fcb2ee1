import type { CheckReport } from "../../check/check-serving.ts";
import { printable } from "./printable.ts";
import type { Look, Paint } from "./style.ts";
import { createPaint } from "./style.ts";
import { formatCount } from "./units.ts";

/**
 * What `serve --check` prints: every problem with its remedy, grouped by part of the boot, or a summary; then every
 * warning.
 */
export function renderCheck(report: CheckReport, look: Look): string[] {
  const paint = createPaint(look.color);
  return [...renderFindings(report, paint), ...report.warnings.flatMap((each) => ["", paint("red", printable(each))])];
}

function renderFindings({ problems, unserved, kernel, initrd, pi5, rootfs }: CheckReport, paint: Paint): string[] {
  if (problems.length === 0) {
    return [
      paint("green", "found nothing that would keep a node from booting"),
      `  kernel  ${describeKernel(kernel)}`,
      `  initrd  ${initrd === undefined ? "none" : printable(initrd.path)}`,
      ...(pi5 === undefined ? [] : [`  Pi 5    ${describeKernel(pi5.kernel)}; ${printable(pi5.initrd.path)}`]),
      `  root    ${rootfs === undefined ? "not served by this machine" : printable(rootfs.path)}`,
      ...unserved.flatMap(({ boards, missing, remedy }) => [
        "",
        `these boards would not boot into the agent: ${boards.join(", ")}`,
        `  missing: ${missing.join(", ")}`,
        `  ${paint("dim", "remedy:")} ${remedy}`,
      ]),
    ];
  }
  const verb = problems.length === 1 ? "keeps" : "keep";
  return [
    paint("red", `${formatCount(problems.length, "problem")} ${verb} nodes from booting`),
    ...problems.flatMap(({ part, message, remedy }) => [
      "",
      `${part}: ${printable(message)}`,
      `  ${paint("dim", "remedy:")} ${printable(remedy)}`,
    ]),
  ];
}

function describeKernel({ path, release }: CheckReport["kernel"]): string {
  return `${printable(path)}${release === undefined ? "" : `, ${printable(release)}`}`;
}
