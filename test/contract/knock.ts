// A caller at doors, as a program, so that it can stand in any network namespace and be any user: calls every method of
// every service of the contracts, and of those that every gRPC server should have, with an empty request, which changes
// nothing. Prints for each door what it was told there as one line of JSON, "package.Service/Method" → a `Verdict`.
//
//   node knock.ts UID TARGET...
import process from "node:process";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Client, credentials, status } from "@grpc/grpc-js";
import { fileDescriptorSet } from "../../proto/gen/file-descriptor-set.ts";
import type { Verdict } from "./doors.ts";
import { rawCall } from "./raw-call.ts";

const [uid, ...targets] = process.argv.slice(2);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, fileDescriptorSet));
const methods = [...registry].flatMap((type) => (type.kind === "service" ? type.methods : []));
process.setgroups?.([]);
process.setgid?.(Number(uid));
process.setuid?.(Number(uid));

for (const target of targets) {
  const client = new Client(target, credentials.createInsecure(), { "grpc.enable_http_proxy": 0 });
  const verdicts: Record<string, Verdict> = {};
  for (const method of methods)
    verdicts[`${method.parent.typeName}/${method.name}`] = judge(await rawCall(client, method));
  client.close();
  process.stdout.write(`${JSON.stringify(verdicts)}\n`);
}

function judge(code: status): Verdict {
  if (code === status.PERMISSION_DENIED) return "refused";
  if (code === status.UNIMPLEMENTED) return "absent";
  if (code === status.UNAVAILABLE) return "no connection";
  if (code === status.DEADLINE_EXCEEDED) return "silence";
  return "taken";
}
