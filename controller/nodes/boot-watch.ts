import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { NewEvent } from "../events/event.ts";
import { type BootFetch, printablePath } from "./boot-fetch.ts";
import { isExpectedMiss, sharedPath } from "./choose-miss-meaning.ts";
import type { FirstBoot, Node } from "./node.ts";
import { parseBoardPath } from "./parse-board-path.ts";
import { createReportLimit } from "./report-limit.ts";

/** What a node was told to load, to interpret its later fetches. */
export interface PlannedBoot {
  readonly label: "agent" | "local";
  /** Paths in the boot tree. */
  readonly kernel: string;
  readonly initrd?: string;
  /** Set when the board's firmware loads it by the image's own config.txt. */
  readonly firmware?: object;
  /** Whether the board's firmware loads it, in an order of its own, and not U-Boot. */
  readonly byFirmware?: boolean;
  /** Set when its command line has words for the image's first boot: where that stands once this boot was loaded. */
  readonly firstBoot?: FirstBoot;
}

/** A planned boot, and what of it was served. */
interface WatchedBoot extends PlannedBoot {
  configFetched: boolean;
  kernelFetched: boolean;
  initrdFetched: boolean;
}

/** Turns many fetches into a readable log: the config and the kernel of each boot, and what went wrong. */
export interface BootWatch {
  /** Notes what the config that is being rendered for the node tells it to load. */
  planned(id: NodeId, boot: PlannedBoot): void;
  /** @param node undefined when it is not known whose fetch it was */
  fetched(fetch: BootFetch, node: Node | undefined): void;
  forget(id: NodeId): void;
}

export function createBootWatch(options: {
  readonly append: (event: NewEvent) => unknown;
  /** Monotonic. */
  readonly clock: Pick<Clock, "now">;
  /**
   * The node that has the address, for boards that did not name themselves: by MAC address, and its record if there is
   * one.
   */
  readonly whoHas: (address: string) => Promise<{ readonly mac: NodeId; readonly node?: Node } | undefined>;
  /** Called once in each boot, as soon as the node has all that it needs to start the kernel. */
  readonly loaded: (id: NodeId, boot: PlannedBoot) => void;
  /** Called when the transfer of its kernel or initrd broke off midway. */
  readonly broken: (id: NodeId) => void;
  readonly log: { error(details: object, message: string): void };
}): BootWatch {
  const { append, clock, whoHas, loaded, broken, log } = options;
  const plans = new Map<NodeId, WatchedBoot>();
  const limit = createReportLimit();

  const about = (node: Node): Pick<NewEvent, "nodeId" | "nodeName"> => ({ nodeId: node.id, nodeName: node.name });

  /** Reports, at a limited rate, that a board did not get a file, and finds out which board if unknown. */
  function tellFailure(
    fetch: BootFetch,
    node: Node | undefined,
    event: Pick<NewEvent, "type" | "severity">,
    describe: (who: string) => string,
  ): void {
    const { address } = fetch;
    if (!limit.admits(node?.id ?? address, sharedPath(fetch.path), clock.now())) return;
    const tell = (mac: NodeId | undefined, known: Node | undefined): void => {
      const who =
        known === undefined
          ? `${address} (${mac ?? "MAC address unknown"}, not a known node)`
          : `${known.name} (${known.id}, ${address})`;
      append({ ...event, message: describe(who), ...(known && about(known)) });
    };
    if (node !== undefined) {
      tell(node.id, node);
      return;
    }
    whoHas(address)
      .then((found) => tell(found?.mac, found?.node))
      .catch((error: unknown) =>
        log.error({ err: error, address }, "could not report which board a file is missing for"),
      );
  }

  function tellRefused(fetch: BootFetch, node: Node | undefined): void {
    tellFailure(
      fetch,
      node,
      { type: "boot-file-refused", severity: "warning" },
      (who) => `refused to serve "${printablePath(fetch.path)}" to ${who}: not a path inside the boot tree`,
    );
  }

  function tellMissing(fetch: BootFetch, node: Node | undefined): void {
    if (isExpectedMiss(fetch.path)) return;
    const word = node && plannedWord(fetch, node);
    const what = `${word === undefined ? "" : `its ${word} `}"${printablePath(sharedPath(fetch.path))}"`;
    const remedy = "controller serve --check lists what else is missing";
    tellFailure(
      fetch,
      node,
      { type: "boot-file-missing", severity: word === undefined ? "warning" : "error" },
      (who) => `${who} asked for ${what}, which is not in the boot tree; ${remedy}`,
    );
  }

  function tellConfig(fetch: BootFetch, node: Node): void {
    if (fetch.outcome !== "served") return;
    const plan = plans.get(node.id);
    const how = plan?.firmware === undefined ? "" : ", by the image's own config.txt";
    const message = `${node.name} fetched its boot config: it boots ${plan?.label ?? node.bootTarget.kind}${how}`;
    append({ type: "boot-config-rendered", severity: "info", message, ...about(node) });
    if (plan === undefined) return;
    const wasLoaded = isLoaded(plan);
    plan.configFetched = true;
    if (isLoaded(plan) && !wasLoaded) loaded(node.id, plan);
  }

  function plannedWord(fetch: BootFetch, node: Node): "kernel" | "initrd" | undefined {
    const boot = plans.get(node.id);
    const path = parseBoardPath(fetch.path).segments.join("/");
    return path === boot?.kernel ? "kernel" : path === boot?.initrd ? "initrd" : undefined;
  }

  function noteFile(fetch: BootFetch, node: Node): void {
    const boot = plans.get(node.id);
    if (boot === undefined) return;
    if (fetch.outcome === "aborted") {
      // Who only asks for a file's length stops before its first block.
      if (fetch.bytes > 0 && plannedWord(fetch, node) !== undefined) broken(node.id);
      return;
    }
    if (fetch.outcome !== "served") return;
    const word = plannedWord(fetch, node);
    if (word === undefined) return;
    const wasLoaded = isLoaded(boot);
    if (word === "kernel" && !boot.kernelFetched) tellKernel(fetch, node, boot.label);
    if (word === "kernel") boot.kernelFetched = true;
    else boot.initrdFetched = true;
    if (isLoaded(boot) && !wasLoaded) loaded(node.id, boot);
  }

  function tellKernel(fetch: BootFetch, node: Node, label: PlannedBoot["label"]): void {
    const message = `${node.name} fetched its kernel "${printablePath(fetch.path.replace(/^\/+/, ""))}" (${label})`;
    append({ type: "boot-file-fetched", severity: "info", message, ...about(node) });
  }

  return {
    planned(id, boot) {
      plans.set(id, { ...boot, configFetched: false, kernelFetched: false, initrdFetched: false });
    },
    fetched(fetch, node) {
      if (fetch.outcome === "refused") tellRefused(fetch, node);
      else if (fetch.outcome === "not-found") tellMissing(fetch, node);
      else if (node === undefined) return;
      else if (fetch.mac !== undefined) tellConfig(fetch, node);
      else noteFile(fetch, node);
    },
    forget(id) {
      plans.delete(id);
    },
  };
}

/**
 * U-Boot asks for its config first, and for the kernel last. Firmware asks in an order of its own, which may have the
 * initrd before what makes its boot known here, and for a kernel more than once: it needs that and the command line.
 */
function isLoaded(boot: WatchedBoot): boolean {
  if (boot.byFirmware === true) return boot.configFetched && boot.kernelFetched;
  return boot.kernelFetched && (boot.initrd === undefined || boot.initrdFetched);
}
