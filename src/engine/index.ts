export * from './ports/key-ring.ts';
export * from './ports/leases.ts';
export * from './ports/store.ts';
export * from './types.ts';
