// An agent ignores fields that it does not know: every field of a request is either as old as the first agent whose
// compatibility is promised, or belongs to a capability, without which no agent is asked for it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DescMessage } from "@bufbuild/protobuf";
import { capabilities, features } from "../../proto/operation/capabilities.ts";
import { compileByBuf } from "./views.ts";

/** The fields that every agent knows: only those of c5b210e and before, none may be added. */
const original = [
  "OperationSpec.write_image OperationSpec.verify_image OperationSpec.make_filesystem OperationSpec.wipe",
  "OperationSpec.unmount OperationSpec.identify",
  "WriteImage.device WriteImage.source WriteImage.customisation WriteImage.full",
  "VerifyImage.device VerifyImage.source MakeFilesystem.device MakeFilesystem.type MakeFilesystem.label",
  "Wipe.device Wipe.method Unmount.device Identify.duration",
  "ImageSource.url ImageSource.compression ImageSource.stored_bytes ImageSource.size_bytes ImageSource.digest",
  "ImageSource.first_partition_bytes ImageSource.manifest",
  "ManifestSource.url ManifestSource.digest ManifestSource.manifest_bytes",
  "Customisation.root Customisation.stamp Customisation.resident",
  "RootPartition.offset_bytes RootPartition.length_bytes RootPartition.filesystem_type",
  "FirmwarePartition.offset_bytes FirmwarePartition.length_bytes",
  // Of a stamp, the agent itself fills in the ids.
  "InstalledSystem.image_name InstalledSystem.image_digest InstalledSystem.reimage_id InstalledSystem.installed_at",
  "InstalledSystem.ids",
].flatMap((line) => line.split(" "));

function fieldsFrom(message: DescMessage, seen = new Set<string>()): string[] {
  if (seen.has(message.typeName) || !message.typeName.startsWith("pallet.")) return [];
  seen.add(message.typeName);
  return message.fields.flatMap((field) => [
    `${message.name}.${field.name}`,
    ...(field.message === undefined ? [] : fieldsFrom(field.message, seen)),
  ]);
}

describe("the capabilities of agents", async () => {
  const spec = (await compileByBuf()).getMessage("pallet.v1.OperationSpec");
  assert.ok(spec);
  const fields = fieldsFrom(spec);
  const claimed = capabilities.flatMap((each) => features[each].fields);

  it("name every field of a request that is not original, once", () => {
    assert.ok(fields.length > 40);
    assert.deepEqual([...original, ...claimed].sort(), [...new Set(fields)].sort());
  });

  it("are words for people and for --json", () => {
    for (const each of capabilities) assert.match(each, /^[a-z]+(-[a-z]+)*$/);
  });
});
