import type { NodeId } from "../../proto/names/node-id.ts";
import type { Board } from "../nodes/parse-board-path.ts";
import type { BootSpec } from "./boot-spec.ts";
import type { FirmwareRequest } from "./firmware-request.ts";
import { firmwareKey, renderCommandLine, renderFirmwareConfig } from "./render-firmware-config.ts";

/** Which boards boot by their own firmware instead of U-Boot. */
export type Loader =
  /** Those where U-Boot has no Ethernet: Raspberry Pi 5. */
  | "auto"
  /** None. */
  | "u-boot"
  /** All. */
  | "firmware";

export interface FirmwareBootOptions {
  readonly loader: Exclude<Loader, "u-boot">;
  /** Which node is asking; undefined if unknown. */
  readonly nodeOf: (board: Board | undefined, address: string) => Promise<NodeId | undefined>;
  /** What the node's boot loads now. Nothing is noted: firmware asks for config.txt up to eight times in one boot. */
  readonly specOf: (mac: NodeId) => Promise<BootSpec>;
  /** The same, noted as this node's boot; a node that was never seen is thereby discovered. */
  readonly bootSpecFor: (mac: NodeId, address: string) => Promise<BootSpec>;
}

/** The answer to a request that depends on the node. */
export type FirmwareAnswer =
  /** This text; `mac` is set where it counts as the node's boot config. */
  | { readonly kind: "text"; readonly text: string; readonly mac?: NodeId }
  /** The file at the first of these paths of the boot tree that exists. */
  | { readonly kind: "paths"; readonly paths: readonly [string, ...string[]] }
  /** The file of the boot tree that was asked for, as it is. */
  | { readonly kind: "as-asked" }
  | { readonly kind: "not-found"; readonly reason: string };

/** Answers what a firmware that boots without U-Boot asks for. */
export type FirmwareBoot = (request: FirmwareRequest, address: string, base: string) => Promise<FirmwareAnswer>;

/**
 * Renders config.txt and cmdline.txt on request, and finds the files that they name. `base` is what the boot
 * tree has as config.txt.
 */
export function createFirmwareBoot({ loader, nodeOf, specOf, bootSpecFor }: FirmwareBootOptions): FirmwareBoot {
  return async (request, address, base) => {
    const node = await nodeOf(request.board, address);
    if (node === undefined) {
      // Harmless for most boards: the shared config.txt starts U-Boot, which identifies its node by itself.
      if (request.kind !== "boot-file") return { kind: "as-asked" };
      return { kind: "not-found", reason: "the requesting node is unknown" };
    }
    switch (request.kind) {
      case "config": {
        const spec = await specOf(node);
        return { kind: "text", text: renderFirmwareConfig(base, spec, loader === "auto" ? "pi5" : "all") };
      }
      case "command-line":
        return { kind: "text", text: renderCommandLine(await specOf(node)) };
      case "boot-file": {
        const now = await specOf(node);
        if (firmwareKey(now) !== request.key)
          return { kind: "not-found", reason: "the boot target has changed since this boot began" };
        // Only a board that boots this way asks for these.
        const isNews = request.file === "kernel" || request.file === "cmdline.txt";
        return answerFile(request.file, isNews ? await bootSpecFor(node, address) : now, node);
      }
    }
  };
}

function answerFile(file: string, spec: BootSpec, mac: NodeId): FirmwareAnswer {
  if (file === "kernel") return { kind: "paths", paths: [spec.kernel] };
  if (file === "cmdline.txt") return { kind: "text", text: renderCommandLine(spec), mac };
  if (file === "initrd")
    return spec.initrd === undefined
      ? { kind: "not-found", reason: "this boot has no initrd" }
      : { kind: "paths", paths: [spec.initrd] };
  // Device trees and overlays: those next to the kernel fit it best.
  const folder = spec.kernel.split("/").slice(0, -1).join("/");
  const shared: readonly [string, ...string[]] = [file];
  return { kind: "paths", paths: folder === "" ? shared : [`${folder}/${file}`, ...shared] };
}
