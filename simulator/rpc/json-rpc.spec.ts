import { describe, expect, it } from 'vitest';
import { XapiError } from '../xapi-error.ts';
import { type Dispatch, MalformedRequest, answerJson } from './json-rpc.ts';

const echo: Dispatch = async (method, params) => await Promise.resolve({ value: [method, ...params], type: 'any' });
const fail: Dispatch = async () => await Promise.reject(new XapiError('UUID_INVALID', ['VM', 'x']));

describe('JSON-RPC', () => {
  it('answers version 2 with version 2', async () => {
    const request = JSON.stringify({ jsonrpc: '2.0', method: 'VM.get_all', params: ['s'], id: 'a' });
    expect(JSON.parse(await answerJson(request, echo))).toStrictEqual({
      jsonrpc: '2.0',
      result: ['VM.get_all', 's'],
      id: 'a',
    });
    expect(JSON.parse(await answerJson(request, fail))).toStrictEqual({
      jsonrpc: '2.0',
      error: { code: 1, message: 'UUID_INVALID', data: ['VM', 'x'] },
      id: 'a',
    });
  });

  it('answers version 1 with version 1', async () => {
    const request = JSON.stringify({ method: 'VM.get_all', params: ['s'], id: 1 });
    expect(JSON.parse(await answerJson(request, echo))).toStrictEqual({
      result: ['VM.get_all', 's'],
      error: null,
      id: 1,
    });
    expect(JSON.parse(await answerJson(request, fail))).toStrictEqual({
      result: null,
      error: ['UUID_INVALID', 'VM', 'x'],
      id: 1,
    });
  });

  it.each(['', '[]', '{"method":"VM.get_all","params":[]}', '{"id":null,"method":"VM.get_all"}', '{"id":1}'])(
    'refuses %j',
    async (body) => {
      await expect(answerJson(body, echo)).rejects.toThrow(MalformedRequest);
    },
  );
});
