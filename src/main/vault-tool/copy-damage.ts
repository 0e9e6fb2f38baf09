import { isDamage, type LostPoint, type OnDamagedPoint, type PointSummary } from '../../engine/index.ts';
import { describeDamage } from './describe-damage.ts';
import type { Terminal } from './terminal.ts';

/** Names restore points that are damaged. Only what can't be copied counts: a copy that can't be read is made again. */
export class CopyDamage {
  isHere = false;
  failed = 0;
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  readonly onThere: OnDamagedPoint = {
    to: (pointId, { message }) =>
      this.#terminal.tell(
        `Restore point ${pointId} of the other vault is damaged: ${message} A copy that can't be read is made again.`,
      ),
  };

  readonly onBoth: OnDamagedPoint = {
    ...this.onThere,
    from: (pointId, error) => {
      this.isHere = true;
      this.#terminal.tell(describeDamage(pointId, error));
    },
  };

  /** Whether the other vault has a copy can't be told: its own object said what it was of. */
  tellLost({ message }: LostPoint): void {
    this.isHere = true;
    this.#terminal.tell(message);
  }

  /** Damage fails this restore point and no other. */
  async orTold({ pointId }: PointSummary, copying: Promise<void>): Promise<void> {
    try {
      await copying;
    } catch (error) {
      if (!isDamage(error)) {
        throw error;
      }
      this.isHere = true;
      this.failed += 1;
      this.#terminal.tell(`Restore point ${pointId} was not copied: ${error.message}`);
      this.#terminal.tell(
        `  What it lost, if it is this vault's: verify --level 2 --point ${pointId}; the rest: restore --salvage.`,
      );
    }
  }
}
