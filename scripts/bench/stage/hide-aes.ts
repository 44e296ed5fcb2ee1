/** Which of this processor's instructions a receiver may use. */
export type Instructions = "all" | "no AES";

/** How a program is told that its processor has no AES instructions. */
export interface HiddenAes {
  /** For OpenSSL, which asks the processor. */
  readonly environment: readonly string[];
  /** The text of /proc/cpuinfo as it would be without them, for whoever reads that. */
  readonly cpuInfo: string;
}

/**
 * OpenSSL's view of an x86 processor without AES and PCLMULQDQ, which GCM multiplies with: bits 57 and 33 of its
 * first word (OPENSSL_ia32cap(3)). The Node of the agent has its own OpenSSL, which obeys it too.
 */
const x86 = "OPENSSL_ia32cap=~0x200000200000000";

/** Instructions of AES, and what comes only with them, as /proc/cpuinfo names them on x86. */
const aesFlags = /(?<=\s)(v?aes|v?pclmulqdq)(?=\s|$)/gm;

/**
 * How to hide the AES instructions of a processor, so that one machine shows what TLS costs on both kinds; undefined
 * where there are none, or no way to hide them.
 *
 * @param cpuInfo the text of /proc/cpuinfo
 * @param architecture as `process.arch` has it
 */
export function hideAes(cpuInfo: string, architecture: string): HiddenAes | undefined {
  if (architecture !== "x64" || !/^flags\s*:.*\saes(\s|$)/m.test(cpuInfo)) return undefined;
  const lines = cpuInfo.split("\n");
  return {
    environment: [x86],
    cpuInfo: lines.map((line) => (/^flags\s*:/.test(line) ? line.replace(aesFlags, "") : line)).join("\n"),
  };
}
