import { join, resolve } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { type ArchiveRequest, openDebianArchive } from "../artefacts/debian-archive.ts";
import { assertRequirements } from "../requirements/assert-requirements.ts";
import type { Requirements } from "../requirements/requirements.ts";
import { addAgent, type BootTree, placeBootTree, type Source } from "./place-boot-tree.ts";
import { planBootTreeBuild } from "./plan-requirements.ts";
import { isFirmwareCached, provideFirmware } from "./provide-firmware.ts";
import { provideUBootOf, uncachedTargets } from "./provide-u-boot.ts";
import { renderConfigTxt } from "./render-config-txt.ts";
import { type TargetName, targets } from "./targets.ts";

/** What to build, and from what. Folders may be relative to the working directory. */
export interface BootTreeRequest extends ArchiveRequest {
  /** Folder that TFTP serves; it may be served in the meantime. */
  readonly outDirectory: string;
  readonly targets: readonly TargetName[];
  /**
   * What "controller rootfs build", "import" or "bake --out" made: the agent's kernel, its initrd, and the device
   * trees; undefined for none.
   */
  readonly rootfsDirectory: string | undefined;
  /** Replace files that someone else wrote or changed. */
  readonly overwrite: boolean;
}

/** What the build requires on this machine; less if the cache already has parts of it. */
export async function bootTreeRequirements(request: BootTreeRequest): Promise<Requirements> {
  const cacheDirectory = resolve(request.cacheDirectory);
  const archive = { ...request, cacheDirectory };
  return {
    ...planBootTreeBuild({
      mirror: request.mirror,
      isFetched: await isFirmwareCached(archive),
      uncachedTargets: await uncachedTargets(request.targets, archive),
    }),
    writes: [resolve(request.outDirectory), cacheDirectory],
  };
}

/**
 * Assembles the boot tree: firmware, U-Boot, config.txt, device trees, the agent's kernel. Each file appears complete
 * or not at all, and the manifest comes last.
 *
 * Throws Failure "invalid" or "tool-failed" naming what is missing and how to get it, and "cancelled".
 */
export async function buildBootTree(request: BootTreeRequest): Promise<BootTree> {
  const { targets: chosen, rootfsDirectory, overwrite, signal, log } = request;
  const outDirectory = resolve(request.outDirectory);
  if (chosen.length === 0) throw new Failure("invalid", "no U-Boot target is chosen");
  await assertRequirements(await bootTreeRequirements(request), { canInstall: true });
  const sources = new Map<string, Source>();
  const kernel = rootfsDirectory === undefined ? undefined : await addAgent(sources, resolve(rootfsDirectory));

  const cacheDirectory = resolve(request.cacheDirectory);
  const archive = await openDebianArchive({ ...request, cacheDirectory });
  const firmware = await provideFirmware(archive, { cacheDirectory });
  for (const name of firmware.files) sources.set(name, { path: join(firmware.folder, name) });
  for (const name of chosen) {
    const uBoot = await provideUBootOf(archive, targets[name], { cacheDirectory, log, signal });
    sources.set(targets[name].treePath, { path: uBoot.binaryPath });
  }
  if (chosen.includes("rpi_arm64")) sources.set("config.txt", { text: renderConfigTxt() });

  signal?.throwIfAborted();
  const { uBoot, firmware: firmwareVersion } = archive.versions;
  const versions = { uBoot, firmware: firmwareVersion, ...(kernel !== undefined && { kernel }) };
  return placeBootTree(outDirectory, { versions, targets: [...chosen], sources }, { overwrite });
}
