/** Most bytes of one message's chunk in a call that uploads a file (pallet.v1.AddImage, DeriveImage). */
export const maxUploadChunkBytes = 1024 * 1024;

/** Most bytes of a block map (.bmap) that comes with an image. */
export const maxBlockMapBytes = 2 * 1024 * 1024;
