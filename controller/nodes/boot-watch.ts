import type { NewEvent } from "../events/event.ts";
import { type BootFetch, printablePath } from "./boot-fetch.ts";
import type { Node, NodeId } from "./node.ts";

/** What a node was told to load, so that its later fetches can be understood. */
export interface PlannedBoot {
  readonly label: "agent" | "local";
  /** Paths in the boot tree. */
  readonly kernel: string;
  readonly initrd?: string;
}

/** Makes a readable log out of many fetches: of each boot the config and the kernel, and what went wrong. */
export interface BootWatch {
  /** Notes what the config that is being rendered for the node tells it to load. */
  planned(id: NodeId, boot: PlannedBoot): void;
  /** @param node undefined when it is not known whose fetch it was */
  fetched(fetch: BootFetch, node: Node | undefined): void;
  forget(id: NodeId): void;
}

/** At most one event about refused files per address in this time, in milliseconds. */
const refusalEventEveryMs = 60_000;
/** For how many addresses that is remembered. */
const maxAddresses = 1000;

export function createBootWatch(options: {
  readonly append: (event: NewEvent) => unknown;
  readonly now: () => number;
}): BootWatch {
  const { append, now } = options;
  const plans = new Map<NodeId, PlannedBoot & { kernelFetched: boolean }>();
  const refusalsTold = new Map<string, number>();

  const about = (node: Node): Pick<NewEvent, "nodeId" | "nodeName"> => ({ nodeId: node.id, nodeName: node.name });

  function tellRefused(fetch: BootFetch, node: Node | undefined): void {
    const at = now();
    if (at - (refusalsTold.get(fetch.address) ?? Number.NEGATIVE_INFINITY) < refusalEventEveryMs) return;
    if (refusalsTold.size >= maxAddresses) refusalsTold.clear();
    refusalsTold.set(fetch.address, at);
    const message = `refused to serve "${printablePath(fetch.path)}" to ${fetch.address}: not a path inside the boot tree`;
    append({ type: "boot-file-refused", severity: "warning", message, ...(node && about(node)) });
  }

  function tellConfig(fetch: BootFetch, node: Node): void {
    if (fetch.outcome !== "served") return;
    const label = plans.get(node.id)?.label ?? node.bootTarget.kind;
    const message = `${node.name} fetched its boot config: it boots ${label}`;
    append({ type: "boot-config-rendered", severity: "info", message, ...about(node) });
  }

  function tellPlannedFile(fetch: BootFetch, node: Node): void {
    const boot = plans.get(node.id);
    if (boot === undefined) return;
    const path = fetch.path.replace(/^\/+/, "");
    const word = path === boot.kernel ? "kernel" : path === boot.initrd ? "initial RAM disk" : undefined;
    if (word === undefined) return;
    if (fetch.outcome === "not-found") {
      const message = `${node.name} asked for its ${word} "${printablePath(path)}", which is not in the boot tree`;
      append({ type: "boot-file-refused", severity: "error", message, ...about(node) });
    } else if (fetch.outcome === "served" && word === "kernel" && !boot.kernelFetched) {
      boot.kernelFetched = true;
      const message = `${node.name} fetched its kernel "${printablePath(path)}" (${boot.label})`;
      append({ type: "boot-file-fetched", severity: "info", message, ...about(node) });
    }
  }

  return {
    planned(id, boot) {
      plans.set(id, { ...boot, kernelFetched: false });
    },
    fetched(fetch, node) {
      if (fetch.outcome === "refused") tellRefused(fetch, node);
      else if (node === undefined) return;
      else if (fetch.mac !== undefined) tellConfig(fetch, node);
      else tellPlannedFile(fetch, node);
    },
    forget(id) {
      plans.delete(id);
    },
  };
}
