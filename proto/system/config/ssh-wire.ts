// How keys are written as bytes: RFC 4251 section 5.

/** A positive number without zeros in front; one whose first bit is set gets one. */
export function mpint(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const plain = first < 0 ? Buffer.of() : bytes.subarray(first);
  return (plain[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), plain]) : plain;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** What is written as a string: its length, and the bytes. */
export function field(content: string | Buffer): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** Reads one thing after the other. */
export interface FieldReader {
  /** Undefined at the end. */
  number(): number | undefined;
  /** Undefined where a length says more than there is. */
  field(): Buffer | undefined;
}

export function fieldReader(bytes: Buffer): FieldReader {
  let at = 0;
  const number = (): number | undefined => {
    if (at + 4 > bytes.length) return undefined;
    at += 4;
    return bytes.readUInt32BE(at - 4);
  };
  return {
    number,
    field(): Buffer | undefined {
      const length = number();
      if (length === undefined || at + length > bytes.length) return undefined;
      at += length;
      return bytes.subarray(at - length, at);
    },
  };
}
