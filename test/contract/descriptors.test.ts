import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileByBuf, importGenerated, loadByProtoLoader, loaderService, wireShape } from "./views.ts";

const reference = await compileByBuf();
const loader = loadByProtoLoader();
const generated = await importGenerated();

const messages = [...reference].filter((type) => type.kind === "message").filter(isOurs);
const services = [...reference].filter((type) => type.kind === "service").filter(isOurs);

function isOurs({ typeName }: { typeName: string }): boolean {
  return typeName.startsWith("pallet.");
}

describe("the contracts in every view", () => {
  it("proto-loader sees the same messages, fields, enums and services as Buf", () => {
    assert.ok(messages.length > 60);
    assert.deepEqual(wireShape(loader.registry), wireShape(reference));
  });

  it("ts-proto generates a codec for exactly these messages", () => {
    assert.deepEqual([...generated.codecs.keys()].sort(), messages.map(({ typeName }) => typeName).sort());
  });

  it("ts-proto generates exactly these services", () => {
    assert.deepEqual([...generated.services.keys()].sort(), services.map(({ typeName }) => typeName).sort());
  });

  for (const service of services) {
    it(`${service.typeName} has the same methods, paths and streams in ts-proto and proto-loader`, () => {
      const byLoader = loaderService(loader.definition, service.typeName);
      const byGenerator = generated.services.get(service.typeName) ?? {};
      const shape = (method: { path: string; requestStream: boolean; responseStream: boolean }) =>
        `${method.path} ${method.requestStream} ${method.responseStream}`;
      const expected = service.methods.map((method) =>
        shape({
          path: `/${service.typeName}/${method.name}`,
          requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
          responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
        }),
      );
      assert.deepEqual(Object.values(byLoader).map(shape), expected);
      assert.deepEqual(Object.values(byGenerator).map(shape), expected);
    });
  }
});
