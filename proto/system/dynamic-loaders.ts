/**
 * Where programs expect their dynamic loader: glibc's for 64-bit and 32-bit ARM and for x86-64 (its ABI documents), and
 * musl's.
 */
export const dynamicLoaders = [
  "/lib/ld-linux-aarch64.so.1",
  "/lib/ld-linux-armhf.so.3",
  "/lib64/ld-linux-x86-64.so.2",
  "/lib/ld-musl-aarch64.so.1",
] as const;
