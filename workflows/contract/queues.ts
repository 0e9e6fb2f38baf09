/**
 * Task queues. The prefix comes from configuration, so that several installations (or test files) share one server;
 * workflows learn it from the queue they run on.
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

/** The prefix of a control queue's name. */
export function queuePrefix(controlQueueName: string): string {
  if (!controlQueueName.endsWith(CONTROL)) {
    throw new TypeError(`not a control queue: ${controlQueueName}`);
  }
  return controlQueueName.slice(0, -CONTROL.length);
}
