import { Failure } from "../../proto/failure.ts";

/** Reads what sha256sum(1) has written: the digest of each file, by its name. Throws a Failure (invalid) for any other line. */
export function parseSums(text: string): ReadonlyMap<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, digest = "", name = ""] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    if (digest === "" || sums.has(name)) throw new Failure("invalid", "its list of digests is damaged");
    sums.set(name, digest);
  }
  return sums;
}
