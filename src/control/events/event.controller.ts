import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ClientGone, HttpListener } from '../../platform/feed/http-listener.ts';
import type { Listener } from '../../platform/feed/live.ts';
import { sendEvents, type SseMessage } from '../../platform/feed/sse.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { inputPipe } from '../../platform/wire/input-pipe.ts';
import { toCloudEvent } from './cloud-event.ts';
import { EventFollower } from './event-follower.ts';
import { EventPuller } from './event-puller.ts';
import type { PositionedEvent } from './event-stream.service.ts';
import * as event from './event.input.ts';
import { eventPageView } from './event.view.ts';

const EVENT_STREAM = 'text/event-stream';

@Controller('v1/events')
export class EventController {
  constructor(
    private readonly follower: EventFollower,
    private readonly puller: EventPuller,
  ) {}

  @Get()
  @Operation({
    summary:
      'Events, oldest first: a page to pull, after waiting up to 30 s for the first one; or, asked for as ' +
      'text/event-stream, a stream that goes on from Last-Event-ID or from now',
    permission: 'events:read',
    returns: eventPageView,
    query: { tenantId: 'Tenant', reach: 'text', types: 'text', after: 'text', limit: 'text', wait: 'text' },
  })
  async events(
    @Query(inputPipe(event.pullEventsQuery)) query: event.PullEventsQuery,
    @HttpListener() listener: Listener,
    @ClientGone() gone: AbortSignal,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    if (request.accepts(['application/json', EVENT_STREAM]) !== EVENT_STREAM) {
      response.json(await this.puller.pull(query, listener, gone));
      return;
    }
    const { limit: _limit, wait: _wait, ...filter } = query;
    const after = request.get('last-event-id') ?? query.after;
    const stream = await this.follower.follow({ ...filter, after }, listener, gone);
    await sendEvents(response, toMessages(stream));
  }
}

async function* toMessages(stream: AsyncIterable<PositionedEvent>): AsyncGenerator<SseMessage> {
  for await (const positioned of stream) {
    yield { id: positioned.cursor, event: positioned.type, data: JSON.stringify(toCloudEvent(positioned)) };
  }
}
