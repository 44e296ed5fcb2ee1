/** Most characters of an image's name; it is also the name of a folder. */
export const maxImageName = 63;

/** What an image's name looks like, for messages: "… must be ${imageNameForm}". */
export const imageNameForm = `1 to ${maxImageName} of a-z, 0-9, '.', '_' and '-', starting with a letter or digit`;

/** Whether a text is a valid name of an image in the catalogue. */
export function isImageName(text: string): boolean {
  return text.length <= maxImageName && /^[a-z0-9][a-z0-9._-]*$/.test(text);
}
