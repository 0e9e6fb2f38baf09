import { createHash } from 'node:crypto';
import { DirectoryStore, type Repository, type Store } from '../../src/engine/index.ts';
import { checkVault, Finding, type KnownObjects } from './check.ts';
import { fallsOf } from './falls.ts';
import type { Moment, OpenStore } from './life.ts';
import { ModelDisk, type Fall, type Image } from './model-disk.ts';
import { MODEL_ROOT, ModelFiles } from './model-files.ts';
import type { Random } from './random.ts';

const ASIDE = '.aside';

export interface CutTally {
  moments: number;
  /** Different states of the disk that were looked at. */
  states: number;
  /** Of these, where the vault was also written to again. */
  goneOn: number;
}

export interface CutOptions {
  readonly random: Random;
  /** Falls of the coins at random at each moment, where there are too many for all. */
  readonly atRandom: number;
  /** Share of the states in which work goes on. */
  readonly goOnShare: number;
  readonly goOn: (repository: Repository, moment: Moment) => Promise<void>;
  readonly open: OpenStore;
  readonly tally: CutTally;
  /** Share of the states that are looked at. */
  readonly lookShare: number;
}

/** Cuts the power at every moment of a life, in all the ways that the model knows, and looks at what is left. */
export async function cutPower(moments: readonly Moment[], options: CutOptions): Promise<void> {
  const { random, atRandom, lookShare, tally } = options;
  const disk = new ModelDisk();
  const seen = new Set<string>();
  const known = new WeakSet<Uint8Array>();
  let created = false;
  for (const [at, moment] of moments.entries()) {
    const { change, points, doing } = moment;
    if (change !== null) {
      disk.apply(change);
    }
    created ||= points.size > 0;
    if (!created) {
      continue;
    }
    tally.moments += 1;
    const promise = [...points].map(([pointId, { state }]) => `${pointId} ${state}`).join('\n');
    for (const fall of fallsOf(disk.coins(ASIDE), random, atRandom)) {
      const { image, key } = disk.image(fall, ASIDE);
      const digest = createHash('sha256').update(`${promise}\n${key}`).digest('base64');
      if (seen.has(digest)) {
        continue;
      }
      seen.add(digest);
      if (!random.chance(lookShare)) {
        continue;
      }
      try {
        await lookAt(image, moment, known, options);
      } catch (error) {
        throw new Finding(`Power cut at moment ${at} (${doing}), ${describe(fall)}: ${String(error)}`, {
          cause: error,
        });
      }
    }
  }
}

async function lookAt(
  image: Image,
  moment: Moment,
  whole: WeakSet<Uint8Array>,
  { open, random, goOnShare, goOn, tally }: CutOptions,
): Promise<void> {
  tally.states += 1;
  const files = new ModelFiles(ModelDisk.of(image));
  const store: Store = new DirectoryStore(MODEL_ROOT, files);
  await using repository = await open(store);
  await checkVault(store, repository, moment.points, knownByBytes(image, whole));
  if (random.chance(goOnShare)) {
    tally.goneOn += 1;
    await goOn(repository, moment);
  }
}

/** The same bytes are in many states; they are hashed once. */
function knownByBytes(image: Image, whole: WeakSet<Uint8Array>): KnownObjects {
  const find = (name: string): Uint8Array | null => {
    let at: Image | Uint8Array | undefined = image;
    for (const part of name.split('/')) {
      at = at instanceof Map ? at.get(part) : undefined;
    }
    return at instanceof Uint8Array ? at : null;
  };
  return {
    isKnown: (name) => {
      const data = find(name);
      return data !== null && whole.has(data);
    },
    add: (name) => {
      const data = find(name);
      if (data !== null) {
        whole.add(data);
      }
    },
  };
}

function describe({ sides, otherwise }: Fall): string {
  const fell = [...sides].map(([key, side]) => `${key}: ${side}`);
  return `everything ${otherwise} but [${fell.join(', ')}]`;
}
