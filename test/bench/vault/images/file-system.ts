import { execFile } from 'node:child_process';
import { open, type FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const BLOCK_BYTES = 4096;
/** Times in file systems: those of making an image must not differ from run to run. */
const FIXED_TIME = '1780000000';

/** An ext4 file system of a folder's content. */
export async function makeFileSystem(image: string, sizeBytes: number, folder: string, uuid: string): Promise<void> {
  const options = `hash_seed=${uuid},root_owner=0:0,lazy_itable_init=0`;
  const how = ['-q', '-F', '-t', 'ext4', '-b', String(BLOCK_BYTES), '-U', uuid, '-E', options, '-m', '1'];
  await run('mke2fs', [...how, '-d', folder, image, String(sizeBytes / BLOCK_BYTES)]);
}

/** Commands of `debugfs`, one a line: how files come, go and are replaced without mounting anything. */
export async function changeFileSystem(image: string, commandFile: string): Promise<void> {
  await run('debugfs', ['-w', '-f', commandFile, image]);
}

/** Writes to files of an image in place, as a running database does. */
export class InPlaceWriter {
  readonly #image: string;
  readonly #file: FileHandle;
  readonly #blocks = new Map<string, readonly number[]>();

  private constructor(image: string, file: FileHandle) {
    this.#image = image;
    this.#file = file;
  }

  static async open(image: string): Promise<InPlaceWriter> {
    return new InPlaceWriter(image, await open(image, 'r+'));
  }

  /** Whole blocks of a file that has them. */
  async write(path: string, offset: number, data: Uint8Array): Promise<void> {
    const blocks = await this.#blocksOf(path);
    for (let at = 0; at < data.length; at += BLOCK_BYTES) {
      const block = blocks[(offset + at) / BLOCK_BYTES];
      if (block === undefined || block === 0) {
        throw new Error(`${path} has no block at ${offset + at}`);
      }
      await this.#file.write(data, at, BLOCK_BYTES, block * BLOCK_BYTES);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #blocksOf(path: string): Promise<readonly number[]> {
    const known = this.#blocks.get(path);
    if (known !== undefined) {
      return known;
    }
    const text = await run('debugfs', ['-R', `blocks /${path}`, this.#image]);
    const blocks = text.trim().split(/\s+/).map(Number);
    this.#blocks.set(path, blocks);
    return blocks;
  }
}

async function run(file: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, E2FSPROGS_FAKE_TIME: FIXED_TIME, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
  const { stdout } = await execute(file, args, { env, maxBuffer: 256 * 1024 * 1024 });
  return stdout;
}
