/**
 * Task queues. The prefix comes from configuration, so that several installations (or test files) share one server;
 * workflows are told their site's queue and never build a name themselves.
 */
const CONTROL = 'control';
const SITE = 'site/';

/** Where workflows run, and every activity that needs the database alone. */
export function controlQueue(prefix: string): string {
  return `${prefix}${CONTROL}`;
}

/** Polled by whichever worker the site's mover is connected to. */
export function siteQueue(prefix: string, siteId: string): string {
  return `${prefix}${SITE}${siteId}`;
}
