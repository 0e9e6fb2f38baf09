/** What a log line never holds, whatever it is handed: values under these names, and texts of these forms. */
const SECRET_NAME = /(password|passphrase|secret|token|authorization|cookie|private_?key|api_?key|credentials?)$/i;
const CONTENT_NAME = /^(body|variables|parameters|headers)$/i;
const SECRET_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\b(hf_[a-z]+_|whsec_)[\w+/=-]+/g, '$1[removed]'],
  [/\b(Bearer|Basic) +[\w.+/=~-]+/gi, '$1 [removed]'],
  [/(:\/\/[^\s:/@]*):[^\s/@]+@/g, '$1:[removed]@'],
  [/-----BEGIN [^-]*PRIVATE KEY-----[\s\S]*?(-----END [^-]*-----|$)/g, '[private key removed]'],
];
const DEEPEST = 6;

/** PostgreSQL quotes the value that it could not take at the end of what it says. */
const REFUSED_VALUE = /(: )"[\s\S]*"$/;

/** An error's message; of a database's complaint about a value, without the value. */
export function scrubMessage(error: Error): string {
  const isAboutValue = 'code' in error && typeof error.code === 'string' && /^22[0-9A-Z]{3}$/.test(error.code);
  return scrubText(isAboutValue ? error.message.replace(REFUSED_VALUE, '$1"[removed]"') : error.message);
}

export function scrubText(text: string): string {
  return SECRET_TEXT.reduce((scrubbed, [pattern, instead]) => scrubbed.replace(pattern, instead), text);
}

/** A copy that may be logged. */
export function scrub(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    return scrubText(value);
  }
  if (typeof value === 'bigint') {
    return value.toString();
  }
  if (typeof value !== 'object' || value === null || value instanceof Date) {
    return value;
  }
  if (value instanceof Error) {
    return { type: value.name, message: scrubMessage(value) };
  }
  if (depth >= DEEPEST || Buffer.isBuffer(value)) {
    return '[left out]';
  }
  if (Array.isArray(value)) {
    return value.map((item) => scrub(item, depth + 1));
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      SECRET_NAME.test(name) || CONTENT_NAME.test(name) ? '[removed]' : scrub(item, depth + 1),
    ]),
  );
}
