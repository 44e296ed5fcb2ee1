import type { DescMethod, FileRegistry } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import type { StatusName } from "../calls.ts";

// Numbers of fields in descriptor.proto, by which comments are found: FileDescriptorProto.service, its .method.
const serviceField = 6;
const methodField = 2;

/** The comment in front of a method in the .proto file. */
export function commentOf(method: DescMethod): string {
  const { file } = method.parent;
  const service = file.services.indexOf(method.parent);
  const index = method.parent.methods.indexOf(method);
  const path = [serviceField, service, methodField, index].join();
  const location = file.proto.sourceCodeInfo?.location.find((each) => each.path.join() === path);
  return location?.leadingComments ?? "";
}

/** The statuses that the comment of a method promises for errors: those named after "Errors:". */
export function documentedStatuses(method: DescMethod): StatusName[] {
  const [, errors = ""] = commentOf(method).split("Errors:");
  const names = errors.match(/\b[A-Z]+(?:_[A-Z]+)*\b/g) ?? [];
  return [...new Set(names)].filter((name): name is StatusName => name in status);
}

/** Every method of the contracts. */
export function methodsOf(registry: FileRegistry): DescMethod[] {
  return [...registry]
    .filter((type) => type.kind === "service")
    .filter(({ typeName }) => typeName.startsWith("pallet."))
    .flatMap(({ methods }) => methods);
}
