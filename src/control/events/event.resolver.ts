import { Args, Query, Resolver, Subscription } from '@nestjs/graphql';
import type { NodeKey } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { ListenerOf } from '../../platform/feed/live-graphql.ts';
import type { Listener } from '../../platform/feed/live.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { EventFollower } from './event-follower.ts';
import { EventService } from './event.service.ts';
import * as event from './event.input.ts';
import { type EventView, toEventView } from './event.view.ts';

interface EventMessage {
  readonly events: { readonly cursor: string; readonly node: EventView };
}

@Resolver()
export class EventResolver {
  constructor(
    private readonly events: EventService,
    private readonly follower: EventFollower,
    nodes: NodeRegistry,
  ) {
    nodes.register('Event', { permission: 'events:read', get: async (key) => toEventView(await events.getEvent(key)) });
  }

  @Query('event')
  @RequiresPermission('events:read')
  async event(@Args('id', idPipe('Event')) key: NodeKey): Promise<EventView> {
    return toEventView(await this.events.getEvent(key));
  }

  @Query('events')
  @RequiresPermission('events:read')
  async listEvents(@Args(inputPipe(event.listEventsArgs)) args: event.ListEventsArgs): Promise<Connection<EventView>> {
    return mapConnection(await this.events.listEvents(args), toEventView);
  }

  @Subscription('events')
  @RequiresPermission('events:read')
  async followEvents(
    @Args(inputPipe(event.followEventsArgs)) args: event.FollowEventsArgs,
    @ListenerOf() listener: Listener,
  ): Promise<AsyncGenerator<EventMessage>> {
    const stream = await this.follower.follow(args, listener);
    return toMessages(stream);
  }
}

type Stream = Awaited<ReturnType<EventFollower['follow']>>;

async function* toMessages(stream: Stream): AsyncGenerator<EventMessage> {
  for await (const positioned of stream) {
    yield { events: { cursor: positioned.cursor, node: toEventView(positioned) } };
  }
}
