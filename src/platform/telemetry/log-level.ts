import type { LOG_LEVELS } from '../config/variables.ts';

export type LogLevel = (typeof LOG_LEVELS)[number];
