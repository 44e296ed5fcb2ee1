import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../../proto/failure.ts";
import { runTool } from "../artefacts/run-tool.ts";
import { assertRequirements } from "../requirements/assert-requirements.ts";
import { changeRoots } from "../roots/change-roots.ts";
import { type Root, readCurrentRoot, readRoots } from "../roots/read-roots.ts";
import { parseRootManifest, type RootManifest } from "../roots/root-manifest.ts";
import { rootfsUnpackRequirements } from "./plan-requirements.ts";

/** A version that was built elsewhere and packed, and the store that gets it. */
export interface UnpackRequest {
  /** tar archive of a version's folder, its manifest.json first; tar finds out how it is compressed. */
  readonly archivePath: string;
  readonly outDirectory: string;
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** How long another process may have the store, in milliseconds: the controller does when it removes old versions. */
const patienceMs = 60_000;

/**
 * Brings a packed version into a store, with its owners, and has new boots get it. One that is there already, by its
 * key, is not unpacked again. However this ends, what new boots get is a whole version.
 *
 * Throws a Failure: `invalid` for what is no such archive, and for missing rights; `in-use` while another process
 * changes the store; `device-error` for a full disk, `tool-failed`, `cancelled`.
 */
export async function unpackRootfs(
  request: UnpackRequest,
): Promise<{ readonly root: Root; readonly changed: boolean }> {
  const { log = () => {}, signal } = request;
  const outDirectory = resolve(request.outDirectory);
  const archive = resolve(request.archivePath);
  await assertRequirements({ ...rootfsUnpackRequirements, writes: [outDirectory] }, { canInstall: true });
  const { key } = await readPackedManifest(archive, signal);
  const current = await readCurrentRoot(outDirectory);
  if (current !== undefined && current.manifest.key === key) return { root: current, changed: false };

  return whenFree(signal, () =>
    changeRoots(outDirectory, async (roots) => {
      const same = (await readRoots(outDirectory)).findLast(({ manifest }) => manifest.key === key);
      if (same === undefined) log(`unpacking the root filesystem into ${outDirectory}`);
      const root =
        same ??
        (await roots.add(async ({ version }) => {
          const keep = ["--numeric-owner", "--same-owner", "--same-permissions", "--xattrs", "--xattrs-include=*"];
          const command = ["tar", "--extract", "--file", archive, "--directory", version, ...keep] as const;
          await runTool(`${archive} could not be unpacked`, command, { signal });
        }));
      await roots.use(root.id);
      return { root, changed: true };
    }),
  );
}

/** What a packed version says of itself. Throws Failure "invalid" for an archive without an agent's system in it. */
async function readPackedManifest(archive: string, signal: AbortSignal | undefined): Promise<RootManifest> {
  const attempt = `${archive} is no packed root filesystem`;
  // Its first entry: tar(1) ends there, and does not decompress the rest.
  const command = ["tar", "--extract", "--to-stdout", "--occurrence=1", "--file", archive, "manifest.json"] as const;
  const manifest = parseRootManifest(
    await runTool(attempt, command, { signal }).catch((cause: unknown) => {
      if (signal?.aborted) throw cause;
      throw new Failure("invalid", cause instanceof Error ? cause.message : attempt, { cause });
    }),
  );
  if (manifest?.key === undefined || manifest.agent === undefined) throw new Failure("invalid", attempt);
  return manifest;
}

async function whenFree<T>(signal: AbortSignal | undefined, change: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + patienceMs; ; )
    try {
      return await change();
    } catch (error) {
      if (!(error instanceof Failure) || error.reason !== "in-use" || performance.now() > end) throw error;
      await pause(500, undefined, signal === undefined ? {} : { signal });
    }
}
