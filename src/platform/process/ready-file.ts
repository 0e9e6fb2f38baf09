import { rename, rm, writeFile } from 'node:fs/promises';

/**
 * Tells whoever waits for it that this process is up, and where. The file appears whole or not at all:
 * a reader that sees it may parse it.
 */
export async function writeReadyFile(path: string, value: object): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    await writeFile(partial, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
