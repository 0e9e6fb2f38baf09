const DAY_MS = 24 * 60 * 60 * 1000;

/** A writer that has been at it for longer gives up instead of committing. */
export const MAX_SESSION_MS = 7 * DAY_MS;

/**
 * How long tombstones and what else decides stays after nobody should ask for it any more. So much longer than a session
 * that no request of one which was stopped or delayed arrives after it.
 */
export const DECIDED_FOR_MS = 30 * DAY_MS;
