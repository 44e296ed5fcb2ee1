import path from "node:path";
import type { Logger } from "pino";
import { Failure } from "../../proto/failure.ts";
import type { BootFetch } from "../nodes/boot-fetch.ts";
import type { Digest, NodeId } from "../nodes/node.ts";
import { type BootContent, type MissingContent, openContent, textContent } from "./boot-content.ts";
import { type BootPath, parseBootPath } from "./boot-paths.ts";
import type { BootSpec } from "./boot-spec.ts";
import { renderPxelinux } from "./render-pxelinux.ts";
import type { OpenResult } from "./tftp/file-content.ts";

export interface BootFilesOptions {
  /** The static boot tree. */
  readonly tree: string;
  /** Where the boot files of images lie; undefined for what is no boot file of an image in the catalogue. */
  readonly images: { bootFile(digest: Digest, file: string): string | undefined };
  /** Decides what a node's boot loads; a node that it has never seen is thereby discovered. */
  readonly bootSpecFor: (mac: NodeId, address: string) => Promise<BootSpec>;
  /** Offers the other target to a person at the console; without it there is one label. */
  readonly menu?: {
    readonly title: string;
    readonly timeoutMs: number;
    readonly otherSpecFor: (mac: NodeId) => Promise<BootSpec | undefined>;
  };
  /** Told of every request, after it ended. */
  readonly recordFetch: (fetch: BootFetch) => void;
  readonly log: Logger;
}

/** What booting machines may fetch, over whatever protocol. */
export interface BootFiles {
  /**
   * Resolves a path as it was asked for. Content that it gives must be closed, exactly once, with what became of it.
   * Never rejects: what goes wrong here is logged and refused.
   */
  open(requestPath: string, client: { readonly address: string }): Promise<OpenResult>;
}

/** Joins the static tree, the boot files of images, and the configs that are rendered when they are asked for. */
export function createBootFiles({ tree, images, bootSpecFor, menu, recordFetch, log }: BootFilesOptions): BootFiles {
  const find = async (asked: BootPath, address: string): Promise<BootContent | MissingContent> => {
    switch (asked.kind) {
      case "node-config":
        return textContent(await renderFor(asked.mac, address));
      case "no-config":
        return { missing: "not-found", reason: "only pxelinux.cfg/01-MAC is served" };
      case "image-file": {
        const file = images.bootFile(asked.digest, asked.file);
        if (file === undefined) return { missing: "not-found", reason: "no image has such a boot file" };
        return openContent(path.dirname(file), path.basename(file));
      }
      case "file":
        for (const candidate of asked.candidates) {
          const found = await openContent(tree, candidate);
          if (!("missing" in found) || found.missing === "refused") return found;
        }
        return { missing: "not-found", reason: "there is no such file" };
      case "refused":
        return { missing: "refused", reason: asked.reason };
    }
  };

  const renderFor = async (mac: NodeId, address: string): Promise<string> => {
    const spec = await bootSpecFor(mac, address);
    const other = await menu?.otherSpecFor(mac);
    if (menu === undefined || other === undefined) return renderPxelinux(spec);
    return renderPxelinux(spec, { menu: { title: menu.title, timeoutMs: menu.timeoutMs, other } });
  };

  return {
    async open(requestPath, client) {
      // An IPv4 address as IPv4, also where a socket listens on both families.
      const address = client.address.replace(/^::ffff:(?=\d+\.)/i, "");
      const asked = parseBootPath(requestPath);
      const record = (outcome: BootFetch["outcome"], bytes: number, silentMs: number): void => {
        const mac = asked.kind === "node-config" ? { mac: asked.mac } : {};
        try {
          recordFetch({ address, ...mac, path: requestPath, outcome, bytes, silentMs });
        } catch (error) {
          log.error({ err: error, path: requestPath, address }, "a boot file request could not be recorded");
        }
      };
      let found: BootContent | MissingContent;
      try {
        found = await find(asked, address);
      } catch (error) {
        log.error({ err: error, path: requestPath, address }, "a boot file could not be provided");
        found = { missing: "refused", reason: `the controller failed: ${Failure.from(error).message}` };
      }
      if ("missing" in found) {
        record(found.missing, 0, 0);
        return { kind: found.missing, message: `${shorten(requestPath)}: ${found.reason}` };
      }
      const content = found;
      return {
        kind: "file",
        content: {
          sizeBytes: content.sizeBytes,
          read: content.read,
          async close({ outcome, bytes, silentMs }) {
            await content.release();
            // Unconfirmed: every byte was sent, and some boot ROMs never acknowledge the last block.
            record(outcome === "unconfirmed" ? "served" : outcome, bytes, silentMs);
          },
        },
      };
    },
  };
}

/** A path for an error packet, which should stay small. */
function shorten(requestPath: string): string {
  const clean = requestPath.replaceAll(/[^\x20-\x7e]/g, "?");
  return clean.length <= 128 ? clean : `${clean.slice(0, 127)}~`;
}
