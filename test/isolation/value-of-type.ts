/** For rows that are made from the columns' types alone: SQL of some value of each type that a tenant's table has. */
export const VALUE_OF_TYPE: Readonly<Record<string, string>> = {
  uuid: 'uuidv7()',
  text: 'uuidv7()::text',
  int4: '1',
  int8: '1',
  bool: 'true',
  timestamptz: 'now()',
  jsonb: `'{}'`,
  bytea: 'uuid_send(uuidv7())',
  _uuid: 'array[uuidv7()]',
};
