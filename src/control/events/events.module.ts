import { Module } from '@nestjs/common';
import { EventFollower } from './event-follower.ts';
import { EventPuller } from './event-puller.ts';
import { EventStreamService } from './event-stream.service.ts';
import { EventController } from './event.controller.ts';
import { EventResolver } from './event.resolver.ts';
import { EventService } from './event.service.ts';

@Module({
  controllers: [EventController],
  providers: [EventStreamService, EventService, EventFollower, EventPuller, EventResolver],
  exports: [EventService],
})
export class EventsModule {}
