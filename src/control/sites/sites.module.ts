import { Module } from '@nestjs/common';
import { SiteController } from './site.controller.ts';
import { SiteResolver } from './site.resolver.ts';
import { SiteService } from './site.service.ts';

@Module({ controllers: [SiteController], providers: [SiteService, SiteResolver], exports: [SiteService] })
export class SitesModule {}
