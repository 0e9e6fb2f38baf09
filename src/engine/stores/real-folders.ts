import { join } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import { ignoreMissing } from './directory-errors.ts';
import type { FileSystem } from './file-system.ts';

/**
 * Sees to it that what lies between a store's root and its objects are no links: with one, a vault would read, write and
 * delete what another vault or an operator has elsewhere. Folders are named from the root on, which is empty and may be
 * a link. One that isn't there is left to whoever needs it.
 */
export class RealFolders {
  readonly #files: FileSystem;
  readonly #root: string;
  readonly #known = new Set<string>();

  constructor(files: FileSystem, root: string) {
    this.#files = files;
    this.#root = root;
  }

  /** VAULT_UNREACHABLE if it, or one above it, is a link. Each is looked at once. */
  async require(folder: string): Promise<void> {
    if (folder !== '' && !this.#known.has(folder)) {
      await this.#look(folder, (each) => !this.#known.has(each));
    }
  }

  /** As `require`, but looks at each again: for lists, by which others decide what to delete, and for deletions. */
  async requireNow(folder: string): Promise<void> {
    if (folder !== '') {
      await this.#look(folder, () => true);
    }
  }

  async #look(folder: string, isWanted: (folder: string) => boolean): Promise<void> {
    const parts = folder.split('/');
    const levels = parts.map((_, i) => parts.slice(0, i + 1).join('/')).filter(isWanted);
    for (const level of levels) {
      const found = await this.#files.lstat(join(this.#root, level)).catch(ignoreMissing);
      if (found === undefined) {
        return;
      }
      if (found.isSymbolicLink()) {
        throw leadsElsewhere(this.#root, level);
      }
      this.#known.add(level);
    }
  }
}

/** Not damage: nothing may be concluded from what is not seen because of it. */
export function leadsElsewhere(root: string, folder: string): AppError {
  return new AppError('VAULT_UNREACHABLE', `${join(root, folder)} is a link, where the vault has a directory.`, {
    hint: 'A vault’s directories must be real ones: put the directory itself there, by moving or mounting it.',
    data: { directory: root, link: folder },
  });
}
