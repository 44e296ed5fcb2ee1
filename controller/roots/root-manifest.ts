import { z } from "zod";

/** What of a version's manifest.json decides how nodes boot it; the rest is its builder's. */
export interface RootManifest {
  readonly madeBy?: string;
  /** Release of the kernel in vmlinuz. */
  readonly kernelRelease?: string;
  /** The agent in it, by size and SHA-256; absent until one was baked in: no node boots it before. */
  readonly agent?: { readonly sizeBytes: number; readonly digest: string };
  /** Set when there is a second kernel in backports/. */
  readonly backports?: { readonly kernelRelease: string };
  readonly root?: { readonly sizeBytes: number };
  /** Stands for everything that it was built from. */
  readonly key?: string;
}

const schema: z.ZodType<RootManifest> = z.object({
  madeBy: z.string().exactOptional(),
  kernelRelease: z.string().exactOptional(),
  agent: z.object({ sizeBytes: z.number(), digest: z.string() }).exactOptional(),
  backports: z.object({ kernelRelease: z.string() }).exactOptional(),
  root: z.object({ sizeBytes: z.number() }).exactOptional(),
  key: z.string().exactOptional(),
});

/** Reads the manifest.json of a root filesystem; undefined when the text is something else. */
export function parseRootManifest(text: string): RootManifest | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    // Not JSON, so not a manifest.
    return undefined;
  }
}
