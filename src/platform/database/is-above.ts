import type { EntityManager } from 'typeorm';

/** Whether one tenant is strictly above another in the tree. Ask it only of tenants that the actor may know. */
export async function isAbove(em: EntityManager, above: string, below: string): Promise<boolean> {
  const rows: { above: boolean }[] = await em.query('select app.is_strict_ancestor($1, $2) as above', [above, below]);
  return rows[0]?.above === true;
}
