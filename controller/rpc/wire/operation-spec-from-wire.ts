import { checkLabel } from "../../../proto/disk/filesystem-label.ts";
import { durationFromWire } from "../../../proto/duration.ts";
import * as wire from "../../../proto/gen/pallet/v1/operation.ts";
import { MAX_IDENTIFY_MS } from "../../../proto/operation/operation-limits.ts";
import { invalid } from "../../refusal/refusal.ts";
import type { OperationSpec } from "../../reimage/agent-operation.ts";
import { plainText, required } from "./text-from-wire.ts";

/** Operations that an operator may ask for one by one: images are written by rollouts only. */
export type NodeOperationSpec = Exclude<OperationSpec, { kind: "write-image" | "verify-image" }>;

/** The work that an operator asks for, checked. Throws a Failure naming what is wrong with it. */
export function nodeOperationFromWire(spec: wire.OperationSpec | undefined): NodeOperationSpec {
  const work = required("spec.work", spec?.work);
  switch (work.$case) {
    case "makeFilesystem": {
      const { label } = work.value;
      const device = deviceFromWire(work.value.device);
      const type = filesystemFromWire(work.value.type);
      checkLabel(type, label);
      return { kind: "make-filesystem", device, type, label };
    }
    case "wipe": {
      const { device, method } = work.value;
      return { kind: "wipe", device: deviceFromWire(device), method: wipeMethodFromWire(method) };
    }
    case "unmount":
      return { kind: "unmount", device: deviceFromWire(work.value.device) };
    case "identify": {
      const durationMs = durationFromWire(required("spec.identify.duration", work.value.duration));
      if (durationMs > 0 && durationMs <= MAX_IDENTIFY_MS) return { kind: "identify", durationMs };
      throw invalid(
        `spec.identify.duration is ${durationMs} ms; give more than 0 and at most ${MAX_IDENTIFY_MS / 60_000} minutes`,
      );
    }
    case "writeImage":
    case "verifyImage":
      throw invalid('only rollouts write and verify images; use "controller reimage"');
  }
}

function deviceFromWire(device: string): string {
  if (/^\/dev\/[\x21-\x7e]{1,200}$/.test(device)) return device;
  throw invalid(`device is ${JSON.stringify(plainText(device, 80))}; give a path like "/dev/mmcblk0"`);
}

function filesystemFromWire(type: wire.FilesystemType): "vfat" | "ext4" {
  if (type === wire.FilesystemType.FILESYSTEM_TYPE_VFAT) return "vfat";
  if (type === wire.FilesystemType.FILESYSTEM_TYPE_EXT4) return "ext4";
  throw invalid("the filesystem type is neither vfat nor ext4");
}

function wipeMethodFromWire(method: wire.WipeMethod): "discard" | "signatures" {
  if (method === wire.WipeMethod.WIPE_METHOD_DISCARD) return "discard";
  if (method === wire.WipeMethod.WIPE_METHOD_SIGNATURES) return "signatures";
  throw invalid("the wipe method is neither discard nor signatures");
}
