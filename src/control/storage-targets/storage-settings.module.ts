import { Module, type DynamicModule } from '@nestjs/common';
import { StorageFolders } from './storage-folders.ts';

/** What the process knows of storage: whether bytes are moved on its own machine. */
@Module({})
export class StorageSettingsModule {
  static forRoot(movesBytesHere: boolean): DynamicModule {
    return {
      module: StorageSettingsModule,
      global: true,
      providers: [{ provide: StorageFolders, useValue: new StorageFolders(movesBytesHere) }],
      exports: [StorageFolders],
    };
  }
}
