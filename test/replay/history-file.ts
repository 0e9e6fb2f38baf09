import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';

const { History } = proto.temporal.api.history.v1;
export type History = proto.temporal.api.history.v1.IHistory;

/** Stack traces name files: where this checkout lies is nobody's business. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const READABLE = { longs: String, enums: String, bytes: String };

/** As readable JSON: names for enums, base64 for payloads. */
export async function writeHistory(file: URL, history: History): Promise<void> {
  const plain = History.toObject(History.fromObject(history), READABLE);
  await writeFile(file, `${JSON.stringify(plain, null, 2).replaceAll(ROOT, '/holdfast/')}\n`);
}

export async function readHistory(file: URL): Promise<History> {
  return History.fromObject(JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>);
}

export function workflowOf(history: History): string | null | undefined {
  return history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name;
}
