import { registerHooks } from 'node:module';

const ENGINE = new URL('../../../src/engine/', import.meta.url).href;
const CRYPTO = new URL('./seeded-crypto.ts', import.meta.url).href;
const LANE = `${ENGINE}worker/lane.ts`;
const INLINE_LANE = `${ENGINE}testing/inline-lane.ts`;

/**
 * From here on the engine that this process imports has no threads, and draws its identifiers from `seeded-crypto.ts`:
 * a run is the same again. What was imported before stays as it is.
 */
export function seedEngine(): void {
  registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context);
      if (found.url === LANE) {
        return { ...found, url: INLINE_LANE };
      }
      return found.url === 'node:crypto' && context.parentURL?.startsWith(ENGINE) === true
        ? { url: CRYPTO, format: 'module-typescript', shortCircuit: true }
        : found;
    },
  });
}
