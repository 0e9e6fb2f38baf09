import type { DataModel } from '../model/data-model.ts';
import { toXapiError } from '../xapi-error.ts';
import type { Answer } from './dispatcher.ts';
import type { Dispatch } from './json-rpc.ts';
import { encodeEventBatch, encodeStrings, encodeXml, struct, wrap } from './xml-encode.ts';
import { parseXmlCall } from './xml-parse.ts';

/** Answers one XML-RPC request: never a `<fault>`, always a struct with a `Status`. */
export async function answerXml(body: string, dispatch: Dispatch, model: DataModel): Promise<string> {
  const { method, params } = parseXmlCall(body);
  const encode = (answer: Answer): string =>
    answer.type === 'an event batch'
      ? encodeEventBatch(answer.value, model)
      : encodeXml(answer.value, answer.type, model);
  try {
    const value = encode(await dispatch(method, params));
    const bare = method === 'system.listMethods';
    return envelope(
      bare
        ? value
        : struct([
            ['Status', wrap('Success')],
            ['Value', value],
          ]),
    );
  } catch (error) {
    const description = encodeStrings(toXapiError(error).description);
    return envelope(
      struct([
        ['Status', wrap('Failure')],
        ['ErrorDescription', description],
      ]),
    );
  }
}

function envelope(value: string): string {
  return `<?xml version="1.0"?><methodResponse><params><param>${value}</param></params></methodResponse>`;
}
