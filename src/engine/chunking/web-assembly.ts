/** Memory that the main thread, a worker and its WebAssembly see at the same time. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
}

interface WebAssemblyApi {
  readonly Memory: new (size: { initial: number; maximum: number; shared: true }) => SharedMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
}

const PAGE_BYTES = 65_536;

/** The part of WebAssembly that is used here: its types come with the DOM's, which this code has no business with. */
export const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi };

export function allocateSharedMemory(bytes: number): SharedMemory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}
