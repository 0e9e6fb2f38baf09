import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DiskGeometry } from '../disk-geometry.ts';
import { packName } from '../format/names.ts';
import { deriveSecrets } from '../keys/key-schedule.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import { SMALL_PARAMETERS } from '../testing/test-vault.ts';
import type { ManifestLayer } from './manifest-types.ts';
import { foldedGroups } from './fold-layers.ts';
import { LayerTree } from './layer-tree.ts';
import { ManifestReader, SEGMENTS_PER_GROUP } from './manifest-reader.ts';
import { ManifestWriter } from './manifest-writer.ts';
import type { SegmentRecord } from './segment-record.ts';
import { changeIn, entriesFor, layerFor, type Change } from './testing/random-layers.ts';
import { visitNeeded } from './visit-needed.ts';

const BLOCK = 4096;
const BLOCKS = 6;
const parameters = { ...SMALL_PARAMETERS, blockBytes: BLOCK, segmentBytes: BLOCKS * BLOCK };
/** Two groups and a bit. */
const MAX_SEGMENTS = 2 * SEGMENTS_PER_GROUP + 2;
const keys = { keyId: 'key', repositoryKey: new Uint8Array(32), dedupSecret: new Uint8Array(32) };
const secrets = deriveSecrets(keys, '22222222-2222-4222-8222-222222222222', 0);
const geometryOf = (sizeBytes: number): DiskGeometry => new DiskGeometry(sizeBytes, parameters);

interface Run {
  /** Which of the manifests so far it goes on from; a checkpoint of its own where there is none. */
  readonly base: number | null;
  readonly segments: readonly number[];
  readonly change: Change;
  /** Blocks of the disk from then on; null: as before. */
  readonly blocks: number | null;
  /** From which of the base's layers on they become one; null: none do. */
  readonly fold: number | null;
  readonly isLive: boolean;
}

const size = fc.oneof(fc.integer({ min: 1, max: 4 * BLOCKS }), fc.integer({ min: 1, max: MAX_SEGMENTS * BLOCKS }));
const near = fc.integer({ min: 0, max: 3 }).map((n) => n - 1);
const runArbitrary: fc.Arbitrary<Run> = fc.record({
  base: fc.option(fc.nat(7), { freq: 15 }),
  segments: fc.array(fc.oneof(fc.nat(2), fc.nat(MAX_SEGMENTS)), { maxLength: 4 }),
  change: changeIn(BLOCKS),
  blocks: fc.option(
    fc.oneof(
      size,
      near.map((n) => BLOCKS * SEGMENTS_PER_GROUP + n),
    ),
    { freq: 2 },
  ),
  fold: fc.option(fc.nat(6), { freq: 2 }),
  isLive: fc.boolean(),
});

interface Visited {
  readonly found: readonly string[];
  readonly damaged: ReadonlySet<string>;
  /** Meta packs of which the end was not told. */
  readonly missed: number;
}

class Disks {
  readonly store = new MemoryStore();
  readonly manifests: { readonly layers: readonly ManifestLayer[]; readonly isLive: boolean }[] = [];
  #written = 0;

  async add({ base, segments, change, blocks, fold, isLive }: Run): Promise<void> {
    const below = base === null ? [] : this.#layersOf(base);
    const before = below.at(-1)?.sizeBytes ?? 0;
    const sizeBytes = blocks === null && before > 0 ? before : (blocks ?? BLOCKS) * BLOCK;
    const records =
      below.length === 0 ? coverAll(sizeBytes, change) : await this.#changeSome(below, sizeBytes, { segments, change });
    const layer = await this.#write(below.length === 0 ? 'checkpoint' : 'delta', sizeBytes, records);
    const first = Math.min(fold ?? Infinity, below.length);
    const folded = first < below.length ? [await this.#fold(below.slice(first))] : [];
    this.manifests.push({ layers: [...below.slice(0, first), ...folded, layer], isLive });
  }

  readerOf(layers: readonly ManifestLayer[]): ManifestReader {
    const sizeBytes = layers.at(-1)?.sizeBytes ?? 0;
    return new ManifestReader(this.store, secrets, { diskKey: 'xvda', sizeBytes, layers }, geometryOf);
  }

  /** Everything that readers of live manifests find in their tables. */
  async read(): Promise<Set<string>> {
    const found = new Set<string>();
    for (const layers of this.live) {
      const reader = this.readerOf(layers);
      for (let segment = 0; segment < reader.geometry.segmentCount; segment += 1) {
        for (const { chunk } of await reader.segment(segment)) {
          found.add(chunk === null ? 'hole' : `${chunk.pack} ${chunk.frame} ${chunk.digest[0]}`);
        }
      }
    }
    found.delete('hole');
    return found;
  }

  get live(): readonly (readonly ManifestLayer[])[] {
    return this.manifests.filter(({ isLive }) => isLive).map(({ layers }) => layers);
  }

  async visit(manifests = this.live, wholeBytes = 1 << 20): Promise<Visited> {
    const tree = new LayerTree();
    manifests.forEach((layers) => tree.add(layers));
    const found: string[] = [];
    const damaged = new Set<string>();
    let packs = 0;
    await visitNeeded(tree, {
      store: this.store,
      secrets,
      geometryOf,
      wholeBytes,
      signal: new AbortController().signal,
      onDamage: (pack) => damaged.add(packName('meta', pack)),
      onPack: () => (packs += 1),
      use: async ({ packs: ids, data, visit }) =>
        visit((_, position, frame, at) => found.push(`${ids[position]} ${frame} ${data[at]}`)),
    });
    return { found, damaged, missed: tree.packCount - packs };
  }

  #layersOf(back: number): readonly ManifestLayer[] {
    return this.manifests.at(-1 - (back % Math.max(1, this.manifests.length)))?.layers ?? [];
  }

  async #changeSome(
    below: readonly ManifestLayer[],
    sizeBytes: number,
    { segments, change }: Pick<Run, 'segments' | 'change'>,
  ): Promise<SegmentRecord[]> {
    const reader = this.readerOf(below);
    const [old, now] = [reader.geometry, geometryOf(sizeBytes)];
    const records: SegmentRecord[] = [];
    for (let segment = 0; segment < now.segmentCount; segment += 1) {
      const [before, limit] = [old.blocksIn(segment), now.blocksIn(segment)];
      if (limit !== before || segments.includes(segment)) {
        const table = before === 0 ? [] : await reader.segment(segment);
        records.push({ segment, runs: layerFor(table, { ...change, size: limit, isResized: true }, before)[0] });
      }
    }
    return records;
  }

  async #write(
    kind: ManifestLayer['kind'],
    sizeBytes: number,
    records: readonly SegmentRecord[],
  ): Promise<ManifestLayer> {
    const writer = this.#writer();
    const groups = Map.groupBy(records, ({ segment }) => Math.floor(segment / SEGMENTS_PER_GROUP));
    for (const [group, own] of groups) {
      await writer.addGroup(group, own);
    }
    return { kind, sizeBytes, bytes: writer.recordBytes, packs: await writer.finish() };
  }

  async #fold(layers: readonly ManifestLayer[]): Promise<ManifestLayer> {
    const writer = this.#writer();
    for await (const { group, records } of foldedGroups(this.readerOf(layers), layers, geometryOf)) {
      await writer.addGroup(group, records);
    }
    const { kind = 'delta' } = layers[0] ?? {};
    return { kind, sizeBytes: layers.at(-1)?.sizeBytes ?? 0, bytes: writer.recordBytes, packs: await writer.finish() };
  }

  #writer(): ManifestWriter {
    this.#written += 1;
    return new ManifestWriter(this.store, secrets, String(this.#written));
  }
}

function coverAll(sizeBytes: number, { lengths }: Change): SegmentRecord[] {
  const geometry = geometryOf(sizeBytes);
  return Array.from({ length: geometry.segmentCount }, (_, segment) => {
    const end = geometry.blocksIn(segment);
    return { segment, runs: [{ start: 0, end, entries: entriesFor(end, lengths) }] };
  });
}

async function disksOf(runs: readonly Run[]): Promise<Disks> {
  const disks = new Disks();
  for (const run of runs) {
    await disks.add(run);
  }
  return disks;
}

const runsArbitrary = fc.array(runArbitrary, { minLength: 1, maxLength: 12 });

test('exactly what readers of some manifest find is visited, once, whatever they share and what was resized', async () => {
  await fc.assert(
    fc.asyncProperty(runsArbitrary, fc.constantFrom(0, 3000, 1 << 20), async (runs, wholeBytes) => {
      const disks = await disksOf(runs);
      const { found, damaged, missed } = await disks.visit(disks.live, wholeBytes);
      expect(new Set(found)).toEqual(await disks.read());
      expect([damaged.size, missed]).toEqual([0, 0]);
    }),
    { numRuns: 300 },
  );
});

test('a damaged layer is told, and nothing that others say is left out for it', async () => {
  await fc.assert(
    fc.asyncProperty(runsArbitrary, fc.nat(), async (runs, which) => {
      const disks = await disksOf(runs.map((run) => ({ ...run, isLive: true })));
      const layers = disks.live.flat();
      const names = layers.flatMap(({ packs }) => packs.map(({ id }) => packName('meta', id)));
      const name = names[which % names.length] ?? '';
      const { found: before } = await disks.visit();
      const hurt = layers.find(({ packs }) => packs.some(({ id }) => packName('meta', id) === name));
      const { found: own } = await disks.visit(hurt === undefined ? [] : [[hurt]]);
      const whole = disks.store.objects.get(name) ?? new Uint8Array(0);
      const broken = whole.map((byte, at) => (at === 70 ? byte ^ 1 : byte));
      for (const change of [() => disks.store.objects.set(name, broken), () => disks.store.objects.delete(name)]) {
        change();
        const { found, damaged } = await disks.visit();
        expect([...damaged]).toEqual([name]);
        const expected = before.filter((each) => !own.includes(each));
        expect(expected.filter((each) => !found.includes(each))).toEqual([]);
      }
    }),
    { numRuns: 60 },
  );
});
