import { limits } from "./limits.ts";

/** Most bytes of one message's chunk in a call that uploads a file (pallet.v1.AddImage, DeriveImage). */
export const maxUploadChunkBytes = limits.uploads.chunkBytes.most;

/** Most bytes of the file of such a call. */
export const maxUploadBytes = limits.uploads.fileBytes.most;

/** Most bytes of a block map (.bmap) that comes with an image. */
export const maxBlockMapBytes = limits.uploads.blockMapBytes.most;
