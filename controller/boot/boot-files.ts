import path from "node:path";
import type { Logger } from "pino";
import { Failure } from "../../proto/failure.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import { plainAddress } from "../../proto/names/plain-address.ts";
import type { ImageDigest } from "../../proto/pack/digest.ts";
import { targets } from "../boot-tree/targets.ts";
import { actFor } from "../callers/author.ts";
import type { BootFetch } from "../nodes/boot-fetch.ts";
import type { RootId } from "../roots/root-id.ts";
import { type BootContent, type MissingContent, openContent, textContent } from "./boot-content.ts";
import { type BootPath, parseBootPath } from "./boot-paths.ts";
import { type BootSpec, withWords } from "./boot-spec.ts";
import type { FirmwareBoot } from "./firmware-boot.ts";
import { type FirmwareRequest, parseFirmwareRequest, sharedFileRequest } from "./firmware-request.ts";
import { renderPxelinux } from "./render-pxelinux.ts";
import type { OpenResult } from "./tftp/file-content.ts";
import { withServerAddress } from "./with-server-address.ts";

export interface BootFilesOptions {
  /** The static boot tree. */
  readonly tree: string;
  /** Where the boot files of images lie; undefined for what is not a boot file of an image in the catalogue. */
  readonly images: { bootFile(digest: ImageDigest, file: string): string | undefined };
  /** Words that every boot config of this node ends with, made anew for each; default: none. */
  readonly wordsFor?: (mac: NodeId) => readonly string[];
  /** The folder of a version of the root filesystem; undefined for what is none. Default: there are none. */
  readonly rootFolder?: (id: RootId) => Promise<string | undefined>;
  /** Decides what a node's boot loads; a node that it has never seen is thereby discovered, unless it asks by HTTP. */
  readonly bootSpecFor: (mac: NodeId, address: string, protocol?: "http") => Promise<BootSpec>;
  /** Offers the other target to a person at the console; without this there is only one label. */
  readonly menu?: {
    readonly title: string;
    readonly timeoutMs: number;
    readonly otherSpecFor: (mac: NodeId) => Promise<BootSpec | undefined>;
  };
  /** Answers boards that boot by their own firmware; without it the boot tree's config.txt is served as it is. */
  readonly firmware?: FirmwareBoot;
  /** Address of this machine as nodes reach it, for a U-Boot that is served; absent: U-Boot goes by DHCP alone. */
  readonly serverAddress?: string;
  /** Called for every request after it has ended. */
  readonly recordFetch: (fetch: BootFetch) => void;
  readonly log: Logger;
}

/** What booting machines may fetch, over whatever protocol. */
export interface BootFiles {
  /**
   * Resolves a path as it was asked for. Content that it gives must be closed, exactly once, with what became of it.
   * Never rejects: what goes wrong here is logged and refused.
   */
  open(requestPath: string, client: Client): Promise<OpenResult>;
}

/** Who asks, and how: by TFTP unless it says otherwise. */
interface Client {
  readonly address: string;
  readonly protocol?: "http";
}

/** What a request led to, and what is to be recorded of it besides the path that was asked for. */
interface Found {
  readonly content: BootContent | MissingContent;
  /** The node, where this was its boot config. */
  readonly mac?: NodeId;
  /** Path in the boot tree that an alias stands for. */
  readonly path?: string;
}

const uBootPaths: ReadonlySet<string> = new Set(Object.values(targets).map(({ treePath }) => treePath));

/** A longer config.txt is refused. */
const maxConfigBytes = 65_536;

/** Joins the static tree, the boot files of images, and the configs that are rendered on request. */
export function createBootFiles(options: BootFilesOptions): BootFiles {
  const { rootFolder = async () => undefined, wordsFor = () => [] } = options;
  const { tree, images, bootSpecFor, menu, firmware, serverAddress, recordFetch, log } = options;

  const find = async (asked: BootPath, client: Client): Promise<Found> => {
    if (asked.kind === "node-config") return { content: await findStatic(asked, client), mac: asked.mac };
    if (asked.kind !== "file" || firmware === undefined) return { content: await findStatic(asked, client) };
    const request = parseFirmwareRequest(asked.candidates);
    if (request !== undefined) return findForFirmware(firmware, request, asked, client);
    const content = await findStatic(asked, client);
    if (!("missing" in content) || content.missing === "refused") return { content };
    return findForFirmware(firmware, sharedFileRequest(asked.candidates), asked, client);
  };

  const findForFirmware = async (
    answerTo: FirmwareBoot,
    request: FirmwareRequest,
    asked: BootPath,
    client: Client,
  ): Promise<Found> => {
    const answer = await answerTo(request, client.address, client.protocol);
    switch (answer.kind) {
      case "text":
        return { content: textContent(answer.text), ...(answer.mac !== undefined && { mac: answer.mac }) };
      case "rendered": {
        const text = await readText(answer.from === undefined ? asked : parseBootPath(answer.from), client);
        return { content: typeof text === "string" ? textContent(answer.render(text)) : text };
      }
      case "as-asked":
        return { content: await findStatic(asked, client) };
      case "not-found":
        return { content: { missing: "not-found", reason: answer.reason } };
      case "paths": {
        let found: Found = { content: { missing: "not-found", reason: "there is no such file" } };
        for (const path of answer.paths) {
          found = { content: await findStatic(parseBootPath(path), client), path };
          if (!("missing" in found.content) || found.content.missing === "refused") break;
        }
        return found;
      }
    }
  };

  /** The text of a config file; empty when there is none. */
  const readText = async (of: BootPath, client: Client): Promise<string | MissingContent> => {
    const content = await findStatic(of, client);
    if ("missing" in content) return content.missing === "not-found" ? "" : content;
    try {
      if (content.sizeBytes > maxConfigBytes) return { missing: "refused", reason: "it is too long for a config file" };
      const bytes = Buffer.alloc(content.sizeBytes);
      return bytes.toString("utf8", 0, await content.read(bytes, 0));
    } finally {
      await content.release();
    }
  };

  const findStatic = async (asked: BootPath, client: Client): Promise<BootContent | MissingContent> => {
    switch (asked.kind) {
      case "node-config":
        return textContent(await renderFor(asked.mac, client));
      case "no-config":
        return { missing: "not-found", reason: "only pxelinux.cfg/01-MAC is served" };
      case "image-file": {
        const file = images.bootFile(asked.digest, asked.file);
        if (file === undefined) return { missing: "not-found", reason: "no image has such a boot file" };
        return openContent(path.dirname(file), path.basename(file));
      }
      case "root-file": {
        const folder = await rootFolder(asked.id);
        if (folder === undefined) return { missing: "not-found", reason: "there is no such root filesystem" };
        return openContent(folder, asked.file);
      }
      case "file":
        for (const candidate of asked.candidates) {
          const found = await openContent(tree, candidate);
          if ("missing" in found && found.missing === "not-found") continue;
          if ("missing" in found || serverAddress === undefined || !uBootPaths.has(candidate)) return found;
          return withServerAddress(found, serverAddress);
        }
        return { missing: "not-found", reason: "there is no such file" };
      case "refused":
        return { missing: "refused", reason: asked.reason };
    }
  };

  const renderFor = async (mac: NodeId, { address, protocol }: Client): Promise<string> => {
    const spec = await bootSpecFor(mac, address, protocol);
    const other = await menu?.otherSpecFor(mac);
    const words = wordsFor(mac);
    if (menu === undefined || other === undefined) return renderPxelinux(withWords(spec, words));
    const { title, timeoutMs } = menu;
    return renderPxelinux(withWords(spec, words), { menu: { title, timeoutMs, other: withWords(other, words) } });
  };

  return {
    async open(requestPath, client) {
      const startedAt = performance.now();
      const address = plainAddress(client.address);
      // Whatever a request says of who it is, anyone may send it.
      const asker = { by: { kind: "anonymous" }, from: address } as const;
      const asked = parseBootPath(requestPath);
      const record = (outcome: BootFetch["outcome"], bytes: number, silentMs: number): void => {
        const mac = found.mac === undefined ? {} : { mac: found.mac };
        try {
          const durationMs = performance.now() - startedAt;
          const protocol: BootFetch["protocol"] & string = client.protocol ?? "tftp";
          const how = { requestedPath: requestPath, durationMs, protocol };
          const path = found.path ?? requestPath;
          actFor(asker, () => recordFetch({ address, ...mac, path, outcome, bytes, silentMs, ...how }));
        } catch (error) {
          log.error({ err: error, path: requestPath, address }, "could not record a boot file request");
        }
      };
      let found: Found;
      try {
        found = await actFor(asker, () => find(asked, { ...client, address }));
      } catch (error) {
        log.error({ err: error, path: requestPath, address }, "could not provide a boot file");
        const content = {
          missing: "refused",
          reason: `the controller failed: ${Failure.from(error).message}`,
        } as const;
        found = { content, ...(asked.kind === "node-config" && { mac: asked.mac }) };
      }
      const { content } = found;
      if ("missing" in content) {
        record(content.missing, 0, 0);
        return { kind: content.missing, message: `${shorten(requestPath)}: ${content.reason}` };
      }
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
