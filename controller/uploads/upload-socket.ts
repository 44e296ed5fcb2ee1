/**
 * The unix socket beside the controller's own on which bytes of files come: without messages around them, each
 * connection brings one file. It begins with the token that AddImage or DeriveImage names; the rest are the bytes.
 *
 * @param socket path of the controller's socket
 */
export function uploadSocketOf(socket: string): string {
  return `${socket}.upload`;
}

/**
 * The unix socket beside the controller's own on which files themselves come: each connection brings a token, and beside
 * its bytes the open file (SCM_RIGHTS, unix(7)), which the controller then reads by itself. It says `taken` for one that it
 * takes, and ends the connection for another, whose bytes have to be sent.
 *
 * @param socket path of the controller's socket
 */
export function fileSocketOf(socket: string): string {
  return `${socket}.file`;
}

/** The controller's answer for a file that it takes: one ASCII character. */
export const taken = "+";

/** ASCII characters of a token. */
export const tokenBytes = 32;

/** Whether it is a token: 32 lower-case hexadecimal digits, of 128 random bits. */
export function isUploadToken(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}
