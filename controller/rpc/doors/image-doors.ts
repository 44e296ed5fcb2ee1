import type * as wire from "../../../proto/gen/pallet/v1/controller.ts";
import { sortedByName } from "../../../proto/names/natural-order.ts";
import { shortDigest } from "../../../proto/pack/digest.ts";
import { requireImage } from "../../images/catalogue/find-image.ts";
import { assertImageUnneeded } from "../../reimage/assert-image-unneeded.ts";
import { imageToWire } from "../wire/image-to-wire.ts";
import { captureImage } from "./capture-image.ts";
import { deriveImage } from "./derive-image.ts";
import { type CallHost, handleBidiStream, handleServerStream, handleUnary } from "./handle-call.ts";
import type { ControllerParts } from "./parts.ts";
import { receiveImage } from "./receive-image.ts";
import { claimFor } from "./upload.ts";

/** The doors to the images. */
export function createImageDoors(
  host: CallHost,
  parts: Pick<ControllerParts, "images" | "deriver" | "captureDisk" | "agents" | "nodes" | "rollouts" | "events">,
): Pick<
  wire.ControllerServiceServer,
  "listImages" | "getImage" | "addImage" | "deriveImage" | "captureImage" | "removeImage"
> {
  const { images, deriver, nodes, rollouts, events } = parts;
  return {
    listImages: handleUnary(host, async (_request: wire.ListImagesRequest) => {
      const all = sortedByName(await images.list());
      return { images: all.map(imageToWire) };
    }),

    getImage: handleUnary(host, async ({ name }: wire.GetImageRequest) => ({
      image: imageToWire(await requireImage(images, name)),
    })),

    addImage: handleBidiStream(host, (requests: AsyncIterable<wire.AddImageRequest>, context) =>
      receiveImage(requests, context.signal, images, claimFor(host, context), (image) => {
        const message = `image ${image.name} was added: ${image.operatingSystem}, ${shortDigest(image.digest)}`;
        events.append({ type: "image-added", severity: "info", message });
      }),
    ),

    deriveImage: handleBidiStream(host, (requests: AsyncIterable<wire.DeriveImageRequest>, context) =>
      deriveImage(requests, context.signal, deriver, claimFor(host, context), ({ image, from }) => {
        const message = `image ${image.name} was derived from ${from}: ${image.operatingSystem}, ${shortDigest(image.digest)}`;
        events.append({ type: "image-added", severity: "info", message });
      }),
    ),

    captureImage: handleServerStream(host, (request: wire.CaptureImageRequest, { signal }) =>
      captureImage(request, signal, parts, ({ name, capture, operatingSystem, digest }, { id, name: nodeName }) => {
        const how = capture?.generalised === true ? ", generalised" : "";
        const what = `${capture?.disk} of ${nodeName}${how}: ${operatingSystem}, ${shortDigest(digest)}`;
        const message = `image ${name} was made of ${what}`;
        events.append({ type: "image-added", severity: "info", nodeId: id, nodeName, message });
      }),
    ),

    removeImage: handleUnary(host, async ({ name }: wire.RemoveImageRequest) => {
      const image = await requireImage(images, name);
      assertImageUnneeded(image, await images.list(), nodes.list(), rollouts.list());
      await images.remove(image.name);
      events.append({ type: "image-removed", severity: "info", message: `image ${image.name} was removed` });
      return {};
    }),
  };
}
