import type { Figures } from "../measure/figures.ts";
import { mediansOf, type Row } from "../runs/run-rounds.ts";

/** The same write by Pallet and by `curl | zstd -dc | dd`, under the same circumstances. */
export interface Pair {
  readonly title: string;
  readonly pallet: Partial<Figures>;
  readonly curl: Partial<Figures>;
}

const [plain, secure, secureWithoutAes] = [
  { title: "plain", pallet: "pallet-full-plain", curl: "curl-zstd-dd" },
  { title: "TLS", pallet: "pallet-full", curl: "curl-tls-zstd-dd" },
  { title: "TLS, AES instructions hidden", pallet: "pallet-full-no-aes", curl: "curl-tls-zstd-dd-no-aes" },
] as const;

/** Medians of the pairs of which both were measured; none unless one of them is over TLS. */
export function priceOfTls(rows: readonly Row[]): readonly Pair[] {
  const has = (id: string): boolean => mediansOf(rows, id).wallSeconds !== undefined;
  const measured = [plain, secure, secureWithoutAes].filter(({ pallet, curl }) => has(pallet) && has(curl));
  if (!measured.some((pair) => pair !== plain)) return [];
  return measured.map(({ title, pallet, curl }) => ({
    title,
    pallet: mediansOf(rows, pallet),
    curl: mediansOf(rows, curl),
  }));
}
