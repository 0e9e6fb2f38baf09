import { isAppError } from '../../kernel/errors.ts';
import type { ObjectId } from '../format/ids.ts';
import { indexName, packName } from '../format/names.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';
import { isDamage } from '../verify/diagnose.ts';
import type { IndexSegment } from './index-segment.ts';
import { planMerge } from './merge-plan.ts';
import { mergeSegments } from './merge-segments.ts';
import type { SegmentSet } from './segment-set.ts';

const NO_OBSTACLES = ['VAULT_ACCESS_DENIED', 'VAULT_READ_ONLY', 'VAULT_RETAINED', 'VAULT_FULL'] as const;

export interface MergerSources {
  readonly store: Store;
  readonly secrets: RepositorySecrets;
  readonly condemned: { packs(): ReadonlySet<ObjectId> };
}

/**
 * Merges segments where a tier is full. What a merge makes is durable before its inputs go; whoever is interrupted, or
 * does it at the same time as somebody else, leaves entries that are there twice, and that the next merge drops.
 */
export class SegmentMerger {
  readonly #sources: MergerSources;
  readonly #segments: SegmentSet;
  readonly #maxEntries: number;
  /** Inputs that could not be merged, or not be deleted. */
  readonly #left = new Set<string>();
  readonly #gone = new Set<ObjectId>();
  #isRunning = false;

  constructor(sources: MergerSources, segments: SegmentSet, maxEntries: number) {
    this.#sources = sources;
    this.#segments = segments;
    this.#maxEntries = maxEntries;
  }

  async run(signal?: AbortSignal): Promise<void> {
    if (this.#isRunning) {
      return;
    }
    this.#isRunning = true;
    try {
      for (let plan = this.#plan(); plan !== null; plan = this.#plan()) {
        await this.#merge(plan.inputs, plan.bits, signal);
        await this.#segments.refresh(signal);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  #plan(): ReturnType<typeof planMerge<IndexSegment>> {
    const free = this.#segments.all.filter(({ name }) => !this.#left.has(name));
    return planMerge(free, this.#maxEntries);
  }

  async #merge(inputs: readonly IndexSegment[], bits: number, signal?: AbortSignal): Promise<void> {
    const { store, secrets } = this.#sources;
    // Also where it succeeds: a list may go on to show them for a while.
    inputs.forEach(({ name }) => this.#left.add(name));
    try {
      const merge = { inputs, bits, gone: await this.#findGone() };
      for await (const { id, data } of mergeSegments(merge, secrets, signal)) {
        await store.putIfAbsent(indexName(secrets.generation, id), [data], { signal });
      }
      await store.flush();
      for (const { name } of inputs) {
        await store.delete(name);
      }
    } catch (error) {
      // Damaged, merged by somebody else, kept by the store, or without room: nothing that a backup has to fail for.
      if (!isDamage(error) && !isAppError(error, ...NO_OBSTACLES)) {
        throw error;
      }
    }
  }

  /** Condemned packs that were deleted. */
  async #findGone(): Promise<ReadonlySet<ObjectId>> {
    for (const pack of this.#sources.condemned.packs()) {
      if (!this.#gone.has(pack) && (await this.#sources.store.head(packName('data', pack))) === null) {
        this.#gone.add(pack);
      }
    }
    return this.#gone;
  }
}
