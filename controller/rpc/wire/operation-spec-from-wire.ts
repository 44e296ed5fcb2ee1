import type * as wire from "../../../proto/gen/pallet/v1/operation.ts";
import type { OperationSpec } from "../../../proto/operation/operation-spec.ts";
import { parseSpec } from "../../../proto/operation/parse-spec.ts";
import { invalid } from "../../refusal/refusal.ts";
import { plainText } from "./text-from-wire.ts";

/** Operations that an operator may ask for one by one: images are written by rollouts only. */
export type NodeOperationSpec = Exclude<OperationSpec, { kind: "write-image" | "verify-image" }>;

/** The work that an operator asks for, checked as the agent will. Throws a Failure naming what is wrong with it. */
export function nodeOperationFromWire(spec: wire.OperationSpec | undefined): NodeOperationSpec {
  const work = spec?.work;
  if (work?.$case === "writeImage" || work?.$case === "verifyImage")
    throw invalid('only rollouts write and verify images; use "controller reimage"');
  if (work !== undefined && work.$case !== "identify") checkDevice(work.value.device);
  return parseSpec(spec) as NodeOperationSpec;
}

function checkDevice(device: string): void {
  if (!/^\/dev\/[\x21-\x7e]{1,200}$/.test(device))
    throw invalid(`device is ${JSON.stringify(plainText(device, 80))}; give a path like "/dev/mmcblk0"`);
}
