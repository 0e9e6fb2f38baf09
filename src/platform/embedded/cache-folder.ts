import { homedir } from 'node:os';
import { join } from 'node:path';

export interface CacheEnvironment {
  readonly XDG_CACHE_HOME?: string | undefined;
  readonly HOME?: string | undefined;
}

/** Where programs that were built or downloaded are kept for the next clone: the user's cache, not the project's. */
export function cacheFolder(env: CacheEnvironment): string {
  const base = env.XDG_CACHE_HOME;
  if (base !== undefined && base.startsWith('/')) {
    return join(base, 'holdfast');
  }
  return join(env.HOME ?? homedir(), '.cache', 'holdfast');
}
