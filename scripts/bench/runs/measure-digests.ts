import path from "node:path";
import process from "node:process";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { median } from "../measure/statistics.ts";

/** What one digest costs on this processor. */
export interface DigestCost {
  readonly digest: string;
  readonly chunkBytes: number;
  /** Median of the runs. */
  readonly cpuSecondsPerGibibyte: number;
}

/** OpenSSL's view of an x86 processor without SHA extensions: bit 29 of EBX of CPUID leaf 7 (OPENSSL_ia32cap(3)). */
const withoutSha = { OPENSSL_ia32cap: ":~0x20000000" };

const candidates = [
  { digest: "BLAKE3 (what Pallet uses; knows no SHA instructions)", name: "blake3", env: {} },
  { digest: "SHA-256, with this processor's SHA instructions", name: "sha256", env: {} },
  { digest: "SHA-256, without SHA instructions", name: "sha256", env: withoutSha },
] as const;

/** Measures the digests at one size of chunk, each a few times in turn. */
export async function measureDigests(chunkBytes: number, runs: number): Promise<readonly DigestCost[]> {
  const program = path.join(import.meta.dirname, "digests.ts");
  const seconds = candidates.map((): number[] => []);
  for (let run = 0; run < runs; run += 1)
    for (const [index, { name, env }] of candidates.entries()) {
      const { stdout } = await execa(process.execPath, [program, name, String(chunkBytes)], { env });
      seconds[index]?.push(Number(stdout));
    }
  return candidates.map(({ digest }, index) => ({
    digest,
    chunkBytes,
    cpuSecondsPerGibibyte: median(seconds[index] ?? []),
  }));
}
