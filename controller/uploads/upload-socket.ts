/**
 * The unix socket beside the controller's own on which bytes of files come: without messages around them, each
 * connection brings one file. It begins with the token that AddImage or DeriveImage names; the rest are the bytes.
 *
 * @param socket path of the controller's socket
 */
export function uploadSocketOf(socket: string): string {
  return `${socket}.upload`;
}

/** ASCII characters of a token. */
export const tokenBytes = 32;

/** Whether it is a token: 32 lower-case hexadecimal digits, of 128 random bits. */
export function isUploadToken(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}
