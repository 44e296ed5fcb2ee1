// Every message travels between the two views unchanged: random values, single fields, and what a newer peer may send.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  fromBinary,
  fromJson,
  ScalarType,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { compileByBuf, type GeneratedCodec, importGenerated, loadByProtoLoader, loaderMessage } from "./views.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const reference = await compileByBuf();
const { definition } = loadByProtoLoader();
const { codecs } = await importGenerated();
const messages = [...reference]
  .filter((type) => type.kind === "message")
  .filter(({ typeName }) => typeName.startsWith("pallet."));

function codecOf(message: DescMessage): GeneratedCodec {
  const codec = codecs.get(message.typeName);
  assert.ok(codec, `ts-proto has no codec for ${message.typeName}`);
  return codec;
}

/** ProtoJSON values of a message, to feed the reference implementation with. */
function jsonOf(message: DescMessage, depth: number): fc.Arbitrary<Json> {
  if (message.typeName === "google.protobuf.Timestamp") {
    // From the epoch on, where a Pi without a clock starts: ts-proto turns fractions of a second before it into
    // negative nanos, which timestamp.proto forbids. Whole milliseconds, because ts-proto's Date holds no more.
    return fc
      .date({ min: new Date(0), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
      .map((date) => date.toISOString());
  }
  if (message.typeName === "google.protobuf.Duration") {
    return fc.integer({ min: 0, max: 315_576_000_000 }).map((seconds) => `${seconds}s`);
  }
  const parts: fc.Arbitrary<{ [key: string]: Json }>[] = [];
  for (const member of message.members) {
    if (member.kind === "oneof") {
      parts.push(fc.oneof(fc.constant({}), ...member.fields.map((field) => presentField(field, depth))));
    } else {
      parts.push(fc.oneof(fc.constant({}), presentField(member, depth)));
    }
  }
  return fc.tuple(...parts).map((members) => Object.assign({}, ...members) as { [key: string]: Json });
}

function presentField(field: DescField, depth: number): fc.Arbitrary<{ [key: string]: Json }> {
  // A message within itself (BlockDevice.children) ends somewhere.
  if (field.message !== undefined && depth === 0) return fc.constant({});
  const value = fieldValue(field, depth);
  const whole = field.fieldKind === "list" ? fc.array(value, { maxLength: 3 }) : value;
  return whole.map((json) => ({ [field.jsonName]: json }));
}

function fieldValue(field: DescField, depth: number): fc.Arbitrary<Json> {
  if (field.message !== undefined) return jsonOf(field.message, depth - 1);
  if (field.enum !== undefined) return enumValue(field.enum);
  switch (field.scalar) {
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.STRING:
      return fc.string({ unit: "grapheme", maxLength: 20 });
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes).toString("base64"));
    case ScalarType.INT32:
      return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    case ScalarType.UINT32:
      return fc.integer({ min: 0, max: 0xffffffff });
    case ScalarType.UINT64:
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
    case ScalarType.DOUBLE:
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    default:
      throw new Error(`no generator for scalar type ${field.scalar} of ${field}: add it here`);
  }
}

function enumValue(type: DescEnum): fc.Arbitrary<Json> {
  return fc.constantFrom(...type.values.map(({ name }) => name));
}

/** The reference's JSON of serialized bytes: equal exactly when the two serializations mean the same. */
function meaning(message: DescMessage, bytes: Uint8Array): Json {
  return toJson(message, fromBinary(message, bytes), { registry: reference }) as Json;
}

describe("a message encoded by one view means the same in the others", () => {
  for (const message of messages) {
    it(message.typeName, () => {
      const codec = codecOf(message);
      const loader = loaderMessage(definition, message.typeName);
      fc.assert(
        fc.property(jsonOf(message, 4), (json) => {
          const bytes = toBinary(message, fromJson(message, json, { registry: reference }));
          const expected = meaning(message, bytes);
          const byGenerator = codec.encode(codec.decode(bytes)).finish();
          assert.deepEqual(meaning(message, byGenerator), expected, "ts-proto");
          const byLoader = loader.serialize(loader.deserialize(Buffer.from(bytes)));
          assert.deepEqual(meaning(message, byLoader), expected, "proto-loader");
          assert.deepEqual(
            meaning(
              message,
              codec.encode(codec.decode(loader.serialize(loader.deserialize(Buffer.from(byGenerator))))).finish(),
            ),
            expected,
            "ts-proto, proto-loader and back",
          );
        }),
        { numRuns: 30 },
      );
    });
  }
});

describe("a message of a newer peer still decodes", () => {
  for (const message of messages) {
    it(message.typeName, () => {
      const codec = codecOf(message);
      const loader = loaderMessage(definition, message.typeName);
      fc.assert(
        fc.property(jsonOf(message, 2), fc.integer({ min: 1, max: 1000 }), (json, newEnumValue) => {
          const bytes = toBinary(message, fromJson(message, json, { registry: reference }));
          const unknown = unknownParts(message, newEnumValue);
          const fromNewer = Buffer.concat([bytes, unknown.fields]);
          assert.deepEqual(codec.encode(codec.decode(fromNewer)).finish(), codec.encode(codec.decode(bytes)).finish());
          assert.deepEqual(loader.deserialize(fromNewer), loader.deserialize(Buffer.from(bytes)));
          // Enum values that nobody knows here must not throw, and must not look like a known one.
          for (const { name, bytes: enumBytes } of unknown.enums) {
            const decoded = codec.decode(enumBytes) as Record<string, unknown>;
            assert.equal([decoded[name]].flat()[0], 10_000 + newEnumValue, name);
            loader.deserialize(Buffer.from(enumBytes));
          }
        }),
        { numRuns: 5 },
      );
    });
  }
});

/** Fields of every wire type with numbers that no message has, and unknown values for every enum field. */
function unknownParts(message: DescMessage, seed: number) {
  const fields = new BinaryWriter()
    .tag(9000 + seed, WireType.Varint)
    .uint64(1n << 63n)
    .tag(9001 + seed, WireType.LengthDelimited)
    .string("from a newer peer")
    .tag(9002 + seed, WireType.Bit32)
    .fixed32(7)
    .tag(9003 + seed, WireType.Bit64)
    .fixed64(7n)
    .finish();
  const enums = message.fields
    .filter((field) => field.fieldKind === "enum")
    .map((field) => ({
      name: field.localName,
      bytes: new BinaryWriter()
        .tag(field.number, WireType.Varint)
        .int32(10_000 + seed)
        .finish(),
    }));
  return { fields, enums };
}
