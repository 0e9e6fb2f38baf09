import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { type Listener, Live, type Look } from '../../platform/feed/live.ts';
import { toCloudEvent } from './cloud-event.ts';
import { EventStreamService, type EventPage } from './event-stream.service.ts';
import type { PullEventsQuery } from './event.input.ts';
import type { eventPageView } from './event.view.ts';

type EventPageBody = z.infer<typeof eventPageView>;

/** Events page by page, for those who would rather ask than be told. */
@Injectable()
export class EventPuller {
  constructor(
    private readonly stream: EventStreamService,
    private readonly live: Live,
  ) {}

  /** Waits up to `wait` seconds for a first event; an empty page then says where to go on. */
  async pull(query: PullEventsQuery, listener: Listener, gone: AbortSignal): Promise<EventPageBody> {
    const { after, limit, wait, ...filter } = query;
    const wanted = this.stream.filterOf(filter);
    let page = await this.stream.readEvents(wanted, after, limit);
    if (page.events.length === 0 && wait > 0) {
      const until = AbortSignal.any([gone, AbortSignal.timeout(wait * 1000)]);
      const look = async (): Promise<Look<EventPage>> => {
        const found = await this.stream.readEvents(wanted, after, limit);
        return found.events.length > 0 ? { items: [found], next: 'END' } : { items: [], next: 'WAIT' };
      };
      for await (const found of this.live.follow(listener, 'events:read', look, until)) {
        page = found;
      }
    }
    const items = page.events.map((event) => ({ ...toCloudEvent(event), data: { ...event.data } }));
    return { items, next: page.next };
  }
}
