import { z } from "zod";
import type { BootTreeManifest } from "./plan-boot-tree.ts";

const manifest: z.ZodType<BootTreeManifest> = z.object({
  versions: z.object({ uBoot: z.string(), firmware: z.string(), kernel: z.string().exactOptional() }),
  targets: z.array(z.string()),
  files: z.record(z.string(), z.object({ sha256: z.string(), sizeBytes: z.number() })),
});

/** Reads the manifest.json of a boot tree; undefined when the text is something else. */
export function parseBootTreeManifest(text: string): BootTreeManifest | undefined {
  try {
    return manifest.safeParse(JSON.parse(text)).data;
  } catch {
    // Not JSON, so not a manifest.
    return undefined;
  }
}
