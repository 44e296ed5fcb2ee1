import { renderEndpoint } from "../../proto/names/endpoint.ts";
import type { Config } from "./config.ts";

/** The warning, at every start and in the status, about a controller that accepts every call from anyone. */
export function insecureTcpWarning(address: string): string {
  return (
    `INSECURE: TCP ${address} accepts every call from anyone who can reach it (insecureTcp, --insecure-tcp): anyone on ` +
    "that network can erase every disk; without this setting, only the unix socket accepts them"
  );
}

const insecureWord = /^pallet\.insecure-tcp(=true)?$/;

/** A warning for every door that the config opens to anyone who can reach it; `grpcPort` is the port that is served. */
export function insecureDoors(
  { insecureTcp, listen, bootProfile }: Pick<Config, "insecureTcp" | "listen" | "bootProfile">,
  grpcPort: number,
): readonly string[] {
  const warnings = insecureTcp ? [insecureTcpWarning(renderEndpoint({ host: listen, port: grpcPort }))] : [];
  for (const kind of ["agent", "local"] as const) {
    const word = bootProfile[kind].append.find((each) => insecureWord.test(each));
    if (word === undefined) continue;
    warnings.push(
      `INSECURE: ${kind === "agent" ? "netbooted" : "resident"} agents take orders from anyone who can reach them (${word} in ` +
        `bootProfile.${kind}.append): anyone on their network can ${kind === "agent" ? "erase their disks" : "reboot them"}; ` +
        "without that word, they obey only this controller",
    );
  }
  return warnings;
}
