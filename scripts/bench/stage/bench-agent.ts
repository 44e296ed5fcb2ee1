import { randomUUID } from "node:crypto";
import path from "node:path";
import { agentWords } from "../../../proto/system/kernel-command-line.ts";
import type { BenchController } from "./bench-controller.ts";
import type { BenchStage } from "./bench-stage.ts";
import type { ReceiverProcessor } from "./receiver-processor.ts";
import { type Place, type StartedProgram, startProgram } from "./started-program.ts";

/** Where agents serve gRPC. */
export const agentPort = 7710;

/** Which agent to start, and where. */
export interface BenchAgent {
  readonly mac: string;
  readonly place: Place;
  readonly controller: BenchController;
  readonly processor?: ReceiverProcessor | undefined;
}

/**
 * Starts an agent that serves on every address of its network namespace, as a node that has just booted has it; resolves
 * when it can be given orders: with its certificate, which it got by the token of a boot config that was fetched for it.
 */
export async function startAgent(
  stage: Pick<BenchStage, "agentProgram" | "folder">,
  { mac, place, controller, processor }: BenchAgent,
): Promise<StartedProgram> {
  const isSecure = controller.authorityFolder !== undefined;
  const trust = isSecure ? await fetchTrust(mac, place, controller) : ["--insecure"];
  const files = [
    ...["--socket", `/run/pallet/bench-${mac}.sock`, "--kernel-command-line", "/dev/null"],
    // Another one each time: what an earlier run kept in this machine's boot would be taken again.
    ...["--identity-file", path.join(stage.folder, `identity-${randomUUID()}`, "agent.pem")],
  ];
  const doors = ["--listen", "0.0.0.0", "--port", String(agentPort)];
  const options = ["--controller", controller.grpcAddress, "--node", mac, ...trust, ...doors, ...files];
  // It may not reboot this machine.
  const bounded = ["setpriv", "--bounding-set=-sys_boot", "--", stage.agentProgram, ...options];
  const ready = isSecure ? /"msg":"got a certificate"/ : /"msg":"serving"/;
  return await startProgram(`agent ${mac}`, place, [...(processor?.enter ?? []), ...bounded], ready);
}

/** Asks as the node's U-Boot does. What its boot config says besides is for a kernel, which is this machine's here. */
async function fetchTrust(mac: string, { namespace }: Place, { tftpAddress }: BenchController): Promise<string[]> {
  const url = `tftp://${tftpAddress}/pxelinux.cfg/01-${mac.replaceAll(":", "-")}`;
  const config = await namespace.run("curl", ["--fail", "--silent", "--show-error", "--max-time", "30", url]);
  const told = (word: string): string => {
    const value = config.split(/\s+/).find((each) => each.startsWith(`${word}=`));
    if (value === undefined) throw new Error(`the boot config of ${mac} has no word ${word}: ${config}`);
    return value.slice(word.length + 1);
  };
  return ["--ca-fingerprint", told(agentWords.authority), "--token", told(agentWords.token)];
}
