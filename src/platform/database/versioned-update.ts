import type { EntityManager, EntityTarget, FindOptionsWhere, ObjectLiteral } from 'typeorm';
import { AppError } from '../../kernel/errors.ts';

/** Rows that clients change carry these. */
export interface VersionedRow extends ObjectLiteral {
  tenantId: string;
  id: string;
  version: number;
  updatedAt?: Date;
}

/** Refuses to go on where the client had read another version than the row has now. */
export function checkVersion(row: Pick<VersionedRow, 'version'>, expectedVersion: number | undefined): void {
  if (expectedVersion !== undefined && expectedVersion !== row.version) {
    throw new AppError('VERSION_CONFLICT', `Version ${expectedVersion} was expected, the object has ${row.version}.`, {
      data: { version: row.version },
    });
  }
}

/** Changes one row that was read in this transaction and counts its version on; VERSION_CONFLICT where it has moved since. */
export async function updateVersioned<Row extends VersionedRow>(
  em: EntityManager,
  entity: EntityTarget<Row>,
  row: Row,
  changes: Partial<Row>,
): Promise<Row> {
  const touched: Pick<VersionedRow, 'version' | 'updatedAt'> = { version: row.version + 1 };
  if ('updatedAt' in row) {
    touched.updatedAt = new Date();
  }
  const next = { ...changes, ...touched };
  const where = { tenantId: row.tenantId, id: row.id, version: row.version } as FindOptionsWhere<Row>;
  const result = await em.update(entity, where, next);
  if (result.affected !== 1) {
    throw new AppError('VERSION_CONFLICT', 'The object was changed by another request at the same moment.');
  }
  return Object.assign(row, next);
}
