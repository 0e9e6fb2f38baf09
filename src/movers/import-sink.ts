import type { BlockSink } from '../engine/index.ts';
import { MIB } from '../kernel/bytes.ts';
import type { RawImport } from '../xen/raw-import.ts';

const ZEROS = new Uint8Array(MIB);
/** Ranges that are prepared while one is being sent. */
const CONCURRENCY = 4;

/** A disk's import as the vault sees it. Holes are skipped only where the new disk is known to read as zeros. */
export function toImportSink(stream: Pick<RawImport, 'write'>, skipsHoles: boolean): BlockSink {
  const write = async (offset: number, data: Uint8Array): Promise<void> => stream.write(offset, data);
  if (skipsHoles) {
    return { concurrency: CONCURRENCY, write };
  }
  return {
    concurrency: CONCURRENCY,
    write,
    hole: async (offset, length) => {
      for (let done = 0; done < length; done += ZEROS.length) {
        await stream.write(offset + done, ZEROS.subarray(0, Math.min(ZEROS.length, length - done)));
      }
    },
  };
}
