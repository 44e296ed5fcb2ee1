/** The Debian suite that is built from unless the operator names another. */
export const defaultSuite = "bookworm";

/** Where Debian is fetched from unless the operator names another mirror. */
export const defaultMirror = "http://deb.debian.org/debian";
