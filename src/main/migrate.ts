import { loadConfig, migrationUrls, type Config } from '../platform/config/config.ts';
import { migrate, type MigrateResult } from '../platform/database/migrations.ts';
import { runRole } from '../platform/process/run-role.ts';
import { projectFile } from '../platform/project-file.ts';

/** Migrates the configured database; null where nothing is configured to migrate with. */
export async function migrateDatabase(config: Config): Promise<MigrateResult | null> {
  const urls = migrationUrls(config);
  return urls === undefined ? null : await migrate({ ...urls, folder: projectFile('migrations') });
}

if (import.meta.main) {
  await runRole({
    name: 'migrate',
    about: 'creates the roles and brings the tables of the database up to date',
    start: async () => {
      const result = await migrateDatabase(loadConfig(process.env, 'migrate'));
      for (const name of result?.applied ?? []) {
        process.stdout.write(`applied ${name}\n`);
      }
      process.stdout.write(`the database is up to date\n`);
      return null;
    },
  });
}
