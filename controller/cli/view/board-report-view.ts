import type { GetBoardReportResponse } from "../../../proto/gen/pallet/v1/controller.ts";
import type { EventView } from "./event-view.ts";
import type { NodeView } from "./node-view.ts";
import { toMs, toNumber, toTime } from "./wire-values.ts";

/** The form of a report; another one gets another number. */
export const boardReportFormat = "pallet-board-report/1";

/** The evidence of one board in one file. Fields are only ever added within a format. */
export interface BoardReport {
  readonly format: typeof boardReportFormat;
  /** When it was made, ISO 8601. */
  readonly madeAt: string;
  readonly controllerVersion: string;
  /** Whether MAC addresses and serial numbers stand for others. */
  readonly anonymised: boolean;
  readonly node: NodeView;
  /** Boot files that it asked for since the controller started, in the order in which the requests ended. */
  readonly requests: readonly {
    readonly time: string | null;
    readonly durationMs: number | null;
    readonly address: string;
    readonly protocol: string;
    readonly path: string;
    readonly outcome: string;
    readonly bytes: number;
  }[];
  /** What the controller noted about the node: leases, boots, warnings. */
  readonly events: readonly Pick<EventView, "time" | "type" | "severity" | "message">[];
  /** What the board's kernel tells, by path of /proc and /sys or by command; empty when `boardMissing` says why. */
  readonly board: Readonly<Record<string, string>>;
  readonly boardMissing: string | null;
}

/** Puts a report together. */
export function viewBoardReport(
  { requests, items, itemsMissing }: GetBoardReportResponse,
  about: Pick<BoardReport, "madeAt" | "controllerVersion" | "node"> & { readonly events: readonly EventView[] },
): BoardReport {
  const { madeAt, controllerVersion, node } = about;
  return {
    format: boardReportFormat,
    ...{ madeAt, controllerVersion, anonymised: false, node },
    requests: requests.map(({ time, duration, address, protocol, path, outcome, bytes }) => ({
      time: toTime(time),
      durationMs: toMs(duration),
      ...{ address, protocol, path, outcome, bytes: toNumber(bytes) },
    })),
    events: about.events.map(({ time, type, severity, message }) => ({ time, type, severity, message })),
    board: Object.fromEntries(items.map(({ name, value }) => [name, value])),
    boardMissing: itemsMissing === "" ? null : itemsMissing,
  };
}

/** The last six octets: pxelinux puts the kind of the network before them ("01-dc-a6-32-…"). */
const mac = /\b((?:[0-9a-f]{2}[:-]){2}[0-9a-f]{2})[:-]((?:[0-9a-f]{2}[:-]){2}[0-9a-f]{2})(?![:-]?[0-9a-f])/gi;
/** Items whose value identifies a board or a card. */
const identifying = /\/(?:cid|serial|serial-number|linux,serial)$/;
const unspecific = /^(?:00:00:00|ff:ff:ff)$/i;

/**
 * The same report with other MAC addresses, serial numbers and card ids, the same one for the same everywhere: paths
 * that a board asked for, names that were made of them, the kernel's log. The maker's part of a MAC address stays.
 */
export function anonymise(report: BoardReport): BoardReport {
  const text = JSON.stringify(report);
  const known = new Map<string, string>();
  const replaceBy = (original: string, other: string): void => {
    if (original.length >= 4 && !known.has(original.toLowerCase()))
      known.set(original.toLowerCase(), other.toLowerCase());
  };
  let count = 0;
  for (const [, maker = "", own = ""] of text.matchAll(mac)) {
    const octets = own.replaceAll(/[:-]/g, "").toLowerCase();
    if (unspecific.test(own.replaceAll("-", ":")) || known.has(octets)) continue;
    count += 1;
    const fake = count.toString(16).padStart(6, "0");
    const bare = maker.replaceAll(/[:-]/g, "");
    const join = (hex: string, by: string) => (hex.match(/../g) ?? []).join(by);
    for (const by of [":", "-", ""]) replaceBy(join(bare + octets, by), join(bare + fake, by));
    replaceBy(octets, fake);
  }
  const serials = [
    report.node.facts?.serial ?? "",
    ...Object.entries(report.board).flatMap(([name, value]) => (identifying.test(name) ? [value] : [])),
    ...Object.values(report.board).flatMap((value) => /^Serial\s*:\s*(\w+)$/m.exec(value)?.[1] ?? []),
  ];
  for (const serial of serials) {
    const digits = serial.replace(/^0x/i, "");
    if (!/^\w{4,}$/.test(digits) || /^0+$/.test(digits)) continue;
    count += 1;
    const fake = count.toString(16).padStart(digits.length, "0").slice(-digits.length);
    replaceBy(digits, fake);
    // A firmware's folder has the last eight digits of a board's serial number, without zeros in front.
    if (digits.length > 8) replaceBy(digits.slice(-8), fake.slice(-8));
    if (digits.length > 8) replaceBy(digits.slice(-8).replace(/^0+/, ""), fake.slice(-8));
  }
  // The longest first: others are parts of them.
  const originals = [...known.keys()].sort((a, b) => b.length - a.length);
  if (originals.length === 0) return { ...report, anonymised: true };
  const pattern = new RegExp(originals.map((each) => each.replaceAll(/[^\w]/g, "\\$&")).join("|"), "gi");
  const replaced = text.replaceAll(pattern, (found) => known.get(found.toLowerCase()) ?? found);
  return { ...(JSON.parse(replaced) as BoardReport), anonymised: true };
}
