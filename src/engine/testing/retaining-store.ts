import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { PutOptions, Retention, RetentionMode } from '../ports/store.ts';
import { MemoryStore } from './memory-store.ts';

/** Objects in memory that can be locked. What was asked for is remembered, in order. */
export class RetainingStore extends MemoryStore {
  readonly locks = new Map<string, number>();
  /** `put <name>` and `lock <name>`. */
  readonly calls: string[] = [];
  /** Locks on these names fail. */
  readonly refused = new Set<string>();
  readonly retention: Retention;

  readonly #clock: Clock | null;

  /** With a clock locks end at their dates. */
  constructor(mode: RetentionMode = 'compliance', clock: Clock | null = null) {
    super();
    this.#clock = clock;
    this.retention = {
      mode,
      lockUntil: async (name, until) => {
        this.calls.push(`lock ${name}`);
        if (this.refused.has(name)) {
          throw new AppError('VAULT_ACCESS_DENIED', `${name} may not be locked.`);
        }
        await this.get(name);
        this.locks.set(name, Math.max(until, this.locks.get(name) ?? 0));
      },
      lockedUntil: async (name) => {
        await this.get(name);
        return this.locks.get(name) ?? null;
      },
      meddled: async function* none() {},
      probe: async () => {},
    };
  }

  override async putIfAbsent(
    name: string,
    parts: readonly Uint8Array[],
    { retainUntil }: PutOptions = {},
  ): Promise<'created' | 'exists'> {
    this.calls.push(`put ${name}`);
    const outcome = await super.putIfAbsent(name, parts);
    if (outcome === 'created' && retainUntil !== undefined) {
      this.locks.set(name, retainUntil);
    }
    return outcome;
  }

  override async delete(name: string): Promise<void> {
    if ((this.locks.get(name) ?? -Infinity) > (this.#clock?.now() ?? -Infinity)) {
      throw new AppError('VAULT_RETAINED', `${name} is locked.`);
    }
    this.locks.delete(name);
    await super.delete(name);
  }
}
