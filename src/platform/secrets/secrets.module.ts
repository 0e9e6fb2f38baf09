import { Module, type DynamicModule } from '@nestjs/common';
import { CursorCodec } from '../paging/cursor-codec.ts';
import { loadOrCreateKeyFile } from './key-file.ts';
import { SecretBox, Sealer } from './sealer.ts';

const FILE_KEY = Symbol('FILE_KEY');

/** What is made from the control plane's key file: `SecretBox` for credentials, `CursorCodec` for pages. */
@Module({})
export class SecretsModule {
  static forRoot(options: { readonly keyFile: string }): DynamicModule {
    return {
      module: SecretsModule,
      global: true,
      providers: [
        { provide: FILE_KEY, useFactory: async () => await loadOrCreateKeyFile(options.keyFile) },
        { provide: SecretBox, useFactory: (key: Buffer) => new SecretBox(key), inject: [FILE_KEY] },
        {
          provide: CursorCodec,
          useFactory: (key: Buffer) => new CursorCodec(new Sealer(key, 'cursors')),
          inject: [FILE_KEY],
        },
      ],
      exports: [SecretBox, CursorCodec],
    };
  }
}
