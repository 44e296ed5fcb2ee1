import type { ClientDuplexStream } from "@grpc/grpc-js";
import type { MeantDisk } from "../../../proto/disk/meant-disk.ts";
import { Failure } from "../../../proto/failure.ts";
import type { ReadDiskRequest, ReadDiskResponse } from "../../../proto/gen/pallet/v1/agent.ts";
import { limits } from "../../../proto/limits.ts";
import { blake3 } from "../../../proto/pack/blake3.ts";
import type { DiskPiece, DiskReader } from "../../images/capture/disk-reader.ts";
import { followParts } from "../../images/capture/follow-parts.ts";
import type { Extents } from "../../images/map/extents.ts";

/** How a call to an agent becomes a reader. */
export interface ReadDiskCall {
  readonly open: () => ClientDuplexStream<ReadDiskRequest, ReadDiskResponse>;
  /** Cancels the call. */
  readonly signal: AbortSignal;
  /** Throws when another agent than the one that is meant has answered. */
  readonly assertMeant: () => void;
  /** What the core is to make of an error of the call. */
  readonly errorOf: (error: unknown) => Error;
}

/** Opens a ReadDisk of an agent, and resolves once the disk is held. */
export async function openDiskReader(
  { device, sizeBytes, serial, cid }: MeantDisk,
  { open, signal, assertMeant, errorOf }: ReadDiskCall,
): Promise<DiskReader> {
  signal.throwIfAborted();
  const call = open();
  // A cancelled call still emits an error when nobody reads it any more; unhandled, it would end the process.
  call.on("error", () => {});
  const close = (): void => call.cancel();
  signal.addEventListener("abort", close, { once: true });
  const answers = (call as AsyncIterable<ReadDiskResponse>)[Symbol.asyncIterator]();

  async function next(): Promise<NonNullable<ReadDiskResponse["part"]>> {
    const answer = await answers.next();
    assertMeant();
    if (answer.done === true || answer.value.part === undefined)
      throw new Failure("verify-mismatch", "the agent ended before it had sent what it was asked for");
    return answer.value.part;
  }

  async function* readSome(parts: Extents): AsyncGenerator<DiskPiece> {
    const wanted = parts.map(({ start, end }) => ({ offsetBytes: BigInt(start), lengthBytes: BigInt(end - start) }));
    call.write({ part: { $case: "read", value: { parts: wanted } } });
    const follower = followParts(parts);
    for (let part = await next(); part.$case !== "read"; part = await next()) {
      const piece = pieceFromWire(part);
      follower.take(piece);
      yield piece;
    }
    follower.end();
  }

  try {
    const disk = { device, sizeBytes: BigInt(sizeBytes), serial, cid };
    call.write({ part: { $case: "disk", value: disk } });
    const held = await next();
    if (held.$case !== "held" || Number(held.value.sizeBytes) !== sizeBytes)
      throw new Failure("verify-mismatch", `the agent holds something else than ${device}`);
  } catch (error) {
    close();
    throw errorOf(error);
  }
  return {
    sizeBytes,
    async *read(parts) {
      try {
        const { most } = limits.captures.parts;
        for (let from = 0; from < parts.length; from += most) yield* readSome(parts.slice(from, from + most));
      } catch (error) {
        close();
        throw errorOf(error);
      }
    },
    close() {
      signal.removeEventListener("abort", close);
      close();
    },
  };
}

/** A piece that is what its digest says. Throws a Failure "verify-mismatch" for any other. */
export function pieceFromWire(part: NonNullable<ReadDiskResponse["part"]>): DiskPiece {
  if (part.$case !== "piece") throw new Failure("verify-mismatch", "the agent sent no piece of its disk");
  const { content, digest } = part.value;
  const offsetBytes = Number(part.value.offsetBytes);
  if (content?.$case === "zeroBytes") return { offsetBytes, lengthBytes: Number(content.value) };
  const bytes = content?.value ?? Buffer.alloc(0);
  if (!blake3(bytes).equals(digest))
    throw new Failure("verify-mismatch", `what came from byte ${offsetBytes} of the disk is not what was read there`, {
      expected: Buffer.from(digest).toString("hex").slice(0, 64),
      found: blake3(bytes).toString("hex"),
    });
  return { offsetBytes, lengthBytes: bytes.length, bytes };
}
