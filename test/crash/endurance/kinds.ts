import type { Kind, Unavailable } from './kind.ts';

/** Imported when they are asked for: those of collection need an engine that nobody imported before. */
export const KINDS: Readonly<Record<string, () => Promise<Kind | Unavailable>>> = {
  kills: async () => (await import('./kill-kinds.ts')).killsOnDirectory(),
  s3: async () => (await import('./kill-kinds.ts')).killsOnS3(),
  ext4: async () => (await import('./cut-kinds.ts')).cutsOfExt4(),
  cuts: async () => (await import('./cut-kinds.ts')).cutsOfModel(),
  model: async () => (await import('./collection-kinds.ts')).collectionModel(),
  schedules: async () => (await import('./collection-kinds.ts')).collectionSchedules(),
};

/** What runs side by side, one of each at a time: both keep about one core busy. */
export const LINES: readonly (readonly string[])[] = [
  ['kills', 's3', 'ext4'],
  ['cuts', 'model', 'schedules'],
];
