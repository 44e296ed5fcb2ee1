/** Most characters of an image's name; it is also the name of a folder. */
export const MAX_IMAGE_NAME = 63;

/** What an image's name looks like, for messages: "… must be ${IMAGE_NAME_FORM}". */
export const IMAGE_NAME_FORM = `1 to ${MAX_IMAGE_NAME} of a-z, 0-9, '.', '_' and '-', starting with a letter or digit`;

/** Whether a text may be the name of an image in the catalogue. */
export function isImageName(text: string): boolean {
  return text.length <= MAX_IMAGE_NAME && /^[a-z0-9][a-z0-9._-]*$/.test(text);
}
