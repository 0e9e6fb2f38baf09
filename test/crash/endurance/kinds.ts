import type { Kind, Unavailable } from './kind.ts';

type Kinds = Readonly<Record<string, () => Promise<Kind | Unavailable>>>;

/**
 * What runs side by side, one of each at a time: both keep about one core busy. Imported when they are asked for: those
 * of collection need an engine that nobody imported before.
 */
export const LINES: readonly Kinds[] = [
  {
    kills: async () => (await import('./kill-kinds.ts')).killsOnDirectory(),
    s3: async () => (await import('./kill-kinds.ts')).killsOnS3(),
    ext4: async () => (await import('./cut-kinds.ts')).cutsOfExt4(),
  },
  {
    cuts: async () => (await import('./cut-kinds.ts')).cutsOfModel(),
    model: async () => (await import('./collection-kinds.ts')).collectionModel(),
    schedules: async () => (await import('./collection-kinds.ts')).collectionSchedules(),
    faults: async () => (await import('./collection-kinds.ts')).collectionFaults(),
    'fault-schedules': async () => (await import('./collection-kinds.ts')).faultSchedules(),
  },
];

export const KINDS: Kinds = Object.fromEntries(LINES.flatMap((kinds) => Object.entries(kinds)));
