import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { S3Credentials } from '../../engine/stores/s3-store.ts';
import { AppError, errnoOf } from '../../kernel/errors.ts';

/** What is said about S3 outside of the command line, where Amazon's own tools look for it. */
export interface S3Settings {
  readonly credentials: S3Credentials;
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;
type Section = ReadonlyMap<string, string>;

/**
 * Environment variables first, then the profile's files. BAD_INPUT where there are no credentials; they are never
 * shown.
 */
export async function readS3Settings(env: Environment): Promise<S3Settings> {
  const profile = env['AWS_PROFILE'] ?? env['AWS_DEFAULT_PROFILE'] ?? 'default';
  const folder = join(env['HOME'] ?? homedir(), '.aws');
  const secrets = await readSection(env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(folder, 'credentials'), profile);
  const isDefault = profile === 'default';
  const configFile = env['AWS_CONFIG_FILE'] ?? join(folder, 'config');
  const config = await readSection(configFile, isDefault ? profile : `profile ${profile}`);
  const all = new Map([...config, ...secrets]);
  return {
    credentials: fromEnvironment(env) ?? fromProfile(all, profile),
    region: env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? all.get('region'),
    endpoint: env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] ?? all.get('endpoint_url'),
  };
}

function fromEnvironment(env: Environment): S3Credentials | null {
  return toCredentials(env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY'], env['AWS_SESSION_TOKEN']);
}

function fromProfile(profile: Section, name: string): S3Credentials {
  const found = toCredentials(
    profile.get('aws_access_key_id'),
    profile.get('aws_secret_access_key'),
    profile.get('aws_session_token'),
  );
  if (found === null) {
    throw new AppError(
      'BAD_INPUT',
      `There are no credentials for S3, neither in the environment nor in profile ${name}.`,
      {
        hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.',
      },
    );
  }
  return found;
}

function toCredentials(id: string | undefined, secret: string | undefined, token?: string): S3Credentials | null {
  if (id === undefined || secret === undefined) {
    return null;
  }
  return { accessKeyId: id, secretAccessKey: secret, ...(token === undefined ? {} : { sessionToken: token }) };
}

/** `[section]` and `key = value`; empty where the file or the section isn't there. */
async function readSection(path: string, section: string): Promise<Section> {
  const values = new Map<string, string>();
  let inside = false;
  for (const line of (await readText(path)).split(/\r?\n/)) {
    const [, heading] = /^\s*\[\s*(.+?)\s*\]/.exec(line) ?? [];
    const [, key, value] = /^([A-Za-z_][\w-]*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (heading !== undefined) {
      inside = heading === section;
    } else if (inside && key !== undefined && value !== undefined) {
      values.set(key.toLowerCase(), value);
    }
  }
  return values;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') {
      return '';
    }
    throw new AppError('BAD_INPUT', `${path} can't be read: ${String(errnoOf(error))}.`, { cause: error });
  }
}
