import { renderEndpoint } from "../../proto/names/endpoint.ts";
import type { Config } from "./config.ts";
import type { Problem } from "./network-contradictions.ts";

/** The warning, at every start, in the status and in the check, about a controller that asks nobody who he is. */
export function insecureWarning(address: string): string {
  return (
    `INSECURE: there is no TLS, and nobody has to prove who he is (insecure, --insecure): anyone who can reach TCP ${address} ` +
    "or a node can erase every disk; without this setting, only nodes and operators with a certificate can call"
  );
}

/** What the config opens to anyone who can reach it; `grpcPort` is the port that is served. */
export function insecureDoors(
  { insecure, listen }: Pick<Config, "insecure" | "listen">,
  grpcPort: number,
): readonly string[] {
  return insecure ? [insecureWarning(renderEndpoint({ host: listen, port: grpcPort }))] : [];
}

/** Kernel words that would make agents plain whose controller is not, or that no agent knows any more. */
export function* insecureWords({ bootProfile }: Pick<Config, "bootProfile">): Generator<Problem> {
  for (const kind of ["agent", "local"] as const) {
    const word = bootProfile[kind].append.find((each) => /^pallet\.insecure(-tcp)?(=|$)/.test(each));
    if (word === undefined) continue;
    yield [
      `bootProfile.${kind}.append`,
      `bootProfile.${kind}.append has ${word}; remove it: agents go without TLS where the controller does (insecure), which tells them so`,
    ];
  }
}
