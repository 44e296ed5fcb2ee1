import type { NodeId } from "../../proto/names/node-id.ts";
import type { Clock } from "../../proto/time/clock.ts";
import type { Board } from "../nodes/parse-board-path.ts";
import { createBegunBoots } from "./begun-boots.ts";
import { type BootSpec, withWords } from "./boot-spec.ts";
import type { Loader } from "./choose-way.ts";
import type { FirmwareRequest } from "./firmware-request.ts";
import { renderCommandLine, renderFirmwareConfig } from "./render-firmware-config.ts";
import {
  imageFileFor,
  initrdAliases,
  renderImageConfig,
  sharedFileFor,
  withoutOurSettings,
} from "./render-image-config.ts";

export interface FirmwareBootOptions {
  readonly loader: Exclude<Loader, "u-boot">;
  /** Which node is asking; undefined if unknown. */
  readonly nodeOf: (board: Board | undefined, address: string) => Promise<NodeId | undefined>;
  /** What the node's boot loads now. Nothing is noted: firmware asks for config.txt up to eight times in one boot. */
  readonly specOf: (mac: NodeId) => Promise<BootSpec>;
  /** Notes what this node's boot loads; a node that was never seen is thereby discovered, unless it asks by HTTP. */
  readonly noteBoot: (mac: NodeId, address: string, spec: BootSpec, protocol?: "http") => Promise<void>;
  /** Words that every cmdline.txt of this node ends with, made anew for each; default: none. */
  readonly wordsFor?: (mac: NodeId) => readonly string[];
  readonly clock: Pick<Clock, "now">;
}

/** The answer to a request that depends on the node. */
export type FirmwareAnswer =
  /** This text; `mac` is set where it counts as the node's boot config. */
  | { readonly kind: "text"; readonly text: string; readonly mac?: NodeId }
  /** What `render` makes of the text at this path of the boot tree ("" if there is none); default: the path asked for. */
  | { readonly kind: "rendered"; readonly from?: string; readonly render: (text: string) => string }
  /** The file at the first of these paths of the boot tree that exists. */
  | { readonly kind: "paths"; readonly paths: readonly [string, ...string[]] }
  /** The file of the boot tree that was asked for, as it is. */
  | { readonly kind: "as-asked" }
  | { readonly kind: "not-found"; readonly reason: string };

/** Answers what a board's firmware asks for. */
export type FirmwareBoot = (request: FirmwareRequest, address: string, protocol?: "http") => Promise<FirmwareAnswer>;

/**
 * Renders config.txt and cmdline.txt on request, and finds the files that they name: those of the node's image where
 * the firmware boots it by them, else those of the boot tree.
 */
export function createFirmwareBoot(options: FirmwareBootOptions): FirmwareBoot {
  const { loader, nodeOf, specOf, noteBoot, clock, wordsFor = () => [] } = options;
  const begun = createBegunBoots(clock);
  return async (request, address, protocol) => {
    const node = await nodeOf(request.board, address);
    if (node === undefined) {
      // Harmless for most boards: the shared config.txt starts U-Boot, which identifies its node by itself.
      if (request.kind !== "boot-file") return { kind: "as-asked" };
      return { kind: "not-found", reason: "the requesting node is unknown" };
    }
    const current = await specOf(node);
    switch (request.kind) {
      case "config":
        return answerConfig(begun.specForConfig(node, current), loader);
      case "command-line":
        return { kind: "text", text: renderCommandLine(withWords(current, wordsFor(node))) };
      case "shared-file":
        return answerSharedFile(request.file, current);
      case "boot-file": {
        const boot = begun.specForFile(node, request.key, request.file, current);
        if (boot === undefined)
          return { kind: "not-found", reason: "the boot target has changed since this boot began" };
        const { spec, isNews } = boot;
        // Only a board that boots this way asks for these, and some ask for the kernel twice.
        if (isNews) await noteBoot(node, address, spec, protocol);
        return answerFile(request.file, spec, node, wordsFor);
      }
    }
  };
}

function answerConfig(spec: BootSpec, loader: FirmwareBootOptions["loader"]): FirmwareAnswer {
  const { firmware } = spec;
  if (firmware === undefined)
    return { kind: "rendered", render: (base) => renderFirmwareConfig(base, spec, loader === "auto" ? "pi5" : "all") };
  return {
    kind: "rendered",
    from: `${firmware.folder}/${firmware.configTxt}`,
    render: (text) => renderImageConfig(text, spec, firmware),
  };
}

function answerFile(
  file: string,
  spec: BootSpec,
  mac: NodeId,
  wordsFor: (mac: NodeId) => readonly string[],
): FirmwareAnswer {
  if (file === "kernel") return { kind: "paths", paths: [spec.kernel] };
  if (file === "cmdline.txt") return { kind: "text", text: renderCommandLine(withWords(spec, wordsFor(mac))), mac };
  const { firmware } = spec;
  const initrd = initrdAliases(spec, firmware ?? { moreInitrds: [] }).find(({ alias }) => alias === file);
  if (initrd !== undefined) return { kind: "paths", paths: [initrd.path] };
  if (file === "initrd") return { kind: "not-found", reason: "this boot has no initrd" };
  if (firmware !== undefined) {
    const found = imageFileFor(file, firmware);
    if (found === undefined) return { kind: "not-found", reason: "the node's image has no such file" };
    return "path" in found ? { kind: "paths", paths: [found.path] } : { kind: "text", text: found.text };
  }
  // Device trees and overlays: those next to the kernel fit it best.
  const folder = spec.kernel.split("/").slice(0, -1).join("/");
  const shared: readonly [string, ...string[]] = [file];
  return { kind: "paths", paths: folder === "" ? shared : [`${folder}/${file}`, ...shared] };
}

/** A file that the boot tree lacks, from the image of a node whose firmware boots it by the image's files. */
function answerSharedFile(file: string, { firmware }: BootSpec): FirmwareAnswer {
  const path = firmware && sharedFileFor(file, firmware);
  if (path === undefined) return { kind: "as-asked" };
  // A text beside config.txt is one that config.txt includes.
  if (/^[^/]+\.txt$/i.test(file))
    return { kind: "rendered", from: path, render: (text) => withoutOurSettings(text, firmware ?? {}) };
  return { kind: "paths", paths: [path] };
}
