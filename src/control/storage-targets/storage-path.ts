import { posix } from 'node:path';
import { z } from 'zod';

/** An absolute path that says where it leads: no `.` or `..` parts, no control characters; never the root itself. */
export const storagePathField = z
  .string()
  .max(1000)
  .refine((path) => path.startsWith('/'), 'give an absolute path, for example /srv/backups')
  .refine((path) => !/\p{Cc}/u.test(path), 'control characters are refused')
  .transform((path) => path.replace(/\/+$/, '') || '/')
  .refine((path) => posix.normalize(path) === path, 'leave out empty, . and .. parts')
  .refine((path) => path !== '/', 'the root folder is refused');
