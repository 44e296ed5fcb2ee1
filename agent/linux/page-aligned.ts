/** The one part of WebAssembly that is used here; its types come with TypeScript's DOM library only. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
};

const wasmPageBytes = 65536;

/**
 * A zeroed buffer that starts at a page boundary, as O_DIRECT wants it (open(2)): Buffer.alloc does not promise that,
 * WebAssembly's memory does.
 */
export function allocatePageAligned(lengthBytes: number): Buffer<ArrayBuffer> {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(lengthBytes / wasmPageBytes) });
  return Buffer.from(memory.buffer, 0, lengthBytes);
}
