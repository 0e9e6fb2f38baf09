import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareImages } from './images/compare-images.ts';
import { CHANGED_IMAGES, type ChangedImage } from './images/prepare-images.ts';
import { runMeasured, type Measured } from './run-measured.ts';
import { ROWS, type RowName, type Side } from './side.ts';
import type { Workshop } from './workshop.ts';

const STEP = fileURLToPath(new URL('./holdfast-step.ts', import.meta.url));
const BUILT = fileURLToPath(new URL('../../../dist/src/', import.meta.url));
const COMPARED_BYTES = 1024 * 1024;

export const HOLDFAST = 'holdfast';

/** The built engine, driven as its callers drive it: session, disk, point; with as many workers as it takes by itself. */
export class HoldfastSide implements Side {
  readonly name = HOLDFAST;
  readonly #shop: Workshop;
  readonly #points = new Map<string, Record<RowName, string>>();

  private constructor(shop: Workshop) {
    this.#shop = shop;
  }

  static async prepare(shop: Workshop): Promise<HoldfastSide> {
    await mkdir(shop.source, { recursive: true });
    // Built programs have no types to be stripped when they start.
    await writeFile(stepProgram(shop), stripTypeScriptTypes(await readFile(STEP, 'utf8')));
    for (const name of CHANGED_IMAGES) {
      await writeFile(changesFile(shop, name), JSON.stringify(shop.images.changed[name]));
    }
    return new HoldfastSide(shop);
  }

  async create(repository: string): Promise<void> {
    await mkdir(repository, { recursive: true });
    const names = ROWS.map((row) => [row, randomUUID()] as const);
    this.#points.set(repository, Object.fromEntries(names) as Record<RowName, string>);
    await this.#run(repository, { step: 'create' });
  }

  run(row: RowName, repository: string): Promise<Measured> {
    return this.#run(repository, { step: row, ...this.#details(row, repository) });
  }

  async isRestored(repository: string, image: string): Promise<boolean> {
    const target = `${repository}.restored`;
    await this.#run(repository, { step: 'restore', pointId: this.#point(repository, 'light'), target });
    const differing = await compareImages(target, image, COMPARED_BYTES);
    await rm(target);
    return differing.length === 0;
  }

  #details(row: RowName, repository: string): Record<string, string> {
    const pointId = this.#point(repository, POINT_READ[row] ?? row);
    const disk = this.#shop.disk;
    if (!isChanged(row)) {
      return { pointId, disk };
    }
    return { pointId, disk, basePointId: this.#point(repository, 'full'), changes: changesFile(this.#shop, row) };
  }

  #point(repository: string, row: RowName): string {
    return this.#points.get(repository)?.[row] ?? '';
  }

  async #run(repository: string, order: Record<string, string>): Promise<Measured> {
    const paths = { engine: join(BUILT, 'engine/index.js'), clock: join(BUILT, 'kernel/clock.js') };
    const ids = { tenantId: TENANT, repositoryId: REPOSITORY };
    const whole = { ...paths, ...ids, store: repository, keys: `${repository}.keys`, ...order };
    const args = [stepProgram(this.#shop), JSON.stringify(whole)];
    return runMeasured({ file: process.execPath, args, env: {}, cwd: this.#shop.source });
  }
}

const TENANT = '6e3b1bd4-8a5e-4c8e-9d0c-1f6f0c6f6f01';
const REPOSITORY = '0a6f3f0e-6c2d-4a56-9a25-6f1f4b0a2b02';

/** Steps that make no point of their own. */
const POINT_READ: Partial<Record<RowName, RowName>> = { restore: 'light', 'delete + collect': 'uniform' };

function isChanged(row: RowName): row is ChangedImage {
  return CHANGED_IMAGES.some((name) => name === row);
}

function stepProgram(shop: Workshop): string {
  return join(shop.source, '..', 'holdfast-step.mjs');
}

function changesFile(shop: Workshop, name: ChangedImage): string {
  return join(shop.source, '..', `${name}.json`);
}
