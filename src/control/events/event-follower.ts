import { Injectable } from '@nestjs/common';
import { type Listener, Live, type Look } from '../../platform/feed/live.ts';
import { EventStreamService, type PositionedEvent } from './event-stream.service.ts';
import type { FollowEventsArgs } from './event.input.ts';

/** So many events are held for one listener, and not more. */
const AT_A_TIME = 100;

/** Events as they come. */
@Injectable()
export class EventFollower {
  constructor(
    private readonly stream: EventStreamService,
    private readonly live: Live,
  ) {}

  /**
   * Events after the cursor, or from now on, until the signal is aborted. A bad cursor or tenant is said here, before
   * anything is streamed.
   */
  async follow(
    { after, ...filter }: FollowEventsArgs,
    listener: Listener,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<AsyncGenerator<PositionedEvent>> {
    const wanted = this.stream.filterOf(filter);
    let cursor = after ?? (await this.stream.now(wanted));
    await this.stream.readEvents(wanted, cursor, 1);
    const look = async (): Promise<Look<PositionedEvent>> => {
      const page = await this.stream.readEvents(wanted, cursor, AT_A_TIME);
      cursor = page.next;
      return { items: page.events, next: page.events.length === AT_A_TIME ? 'AGAIN' : 'WAIT' };
    };
    return this.live.follow(listener, 'events:read', look, signal);
  }
}
