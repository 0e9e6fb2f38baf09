import { Module } from '@nestjs/common';
import { SitesModule } from './sites/sites.module.ts';

/** Every domain of the control plane: one line each. */
@Module({ imports: [SitesModule] })
export class ControlModule {}
