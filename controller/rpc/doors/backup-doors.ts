import { cutText } from "../../../proto/cut-text.ts";
import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import { type CallContext, type CallHost, handleServerStream, handleUnary } from "./handle-call.ts";
import type { ControllerParts } from "./parts.ts";

/** What is kept of a path or of the reason of a failure, in characters. */
const mostCharacters = 1024;

/** The doors to the controller's backups. */
export function createBackupDoors(
  host: CallHost,
  { backups }: Pick<ControllerParts, "backups">,
): Pick<wire.ControllerServiceServer, "takeBackup" | "reportBackup"> {
  async function* take(
    { withImages, regular }: wire.TakeBackupRequest,
    { signal }: CallContext,
  ): AsyncGenerator<wire.TakeBackupResponse> {
    const { id, about, bytes, close } = await backups.take({ withImages, regular }, signal);
    try {
      const namesOf = (isIn: boolean) => about.images.filter((image) => image.isIn === isIn).map(({ name }) => name);
      const value: wire.Backup = {
        ...{ id, nodes: about.nodes, leftOut: [...about.leftOut] },
        ...{ takenAt: new Date(about.takenAt), images: namesOf(true), imagesLeftOut: namesOf(false) },
      };
      yield { part: { $case: "backup", value } };
      for await (const piece of bytes) yield { part: { $case: "data", value: piece } };
    } finally {
      await close();
    }
  }

  return {
    takeBackup: handleServerStream(host, take),
    reportBackup: handleUnary(host, ({ id, path, sizeBytes, failure }) => {
      backups.report(
        id,
        failure === ""
          ? { kind: "kept", path: cutText(path, mostCharacters), sizeBytes: Number(sizeBytes) }
          : { kind: "failed", why: cutText(failure, mostCharacters) },
      );
      return {};
    }),
  };
}
