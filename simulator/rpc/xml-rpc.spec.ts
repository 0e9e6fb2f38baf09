import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadDataModel } from '../model/data-model.ts';
import { MalformedRequest } from './json-rpc.ts';
import { XapiError } from '../xapi-error.ts';
import { encodeXml } from './xml-encode.ts';
import { parseXmlCall, parseXmlValue } from './xml-parse.ts';
import { answerXml } from './xml-rpc.ts';

const model = loadDataModel();
const call = (method: string, params: string): string =>
  `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${params}</params></methodCall>`;

/** XML can't carry control characters at all, and turns a carriage return into a newline. */
const text = fc.string({ unit: 'grapheme' }).filter((each) => !/[\p{Cc}\p{Cs}]/u.test(each));

describe('XML-RPC', () => {
  it('gives back any map of string sets that it wrote', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          text.filter((key) => key !== '__proto__'),
          fc.array(text),
        ),
        (value) => {
          expect(parseXmlValue(encodeXml(value, '(string -> string set) map', model))).toStrictEqual({ ...value });
        },
      ),
    );
  });

  it.each([
    ['int', 42, '<value>42</value>'],
    ['float', 0.5, '<value><double>0.5</double></value>'],
    ['bool', true, '<value><boolean>1</boolean></value>'],
    ['datetime', '19700101T00:00:00Z', '<value><dateTime.iso8601>19700101T00:00:00Z</dateTime.iso8601></value>'],
    ['VM ref', 'OpaqueRef:NULL', '<value>OpaqueRef:NULL</value>'],
    ['void', '', '<value></value>'],
    ['int set', [1], '<value><array><data><value>1</value></data></array></value>'],
  ])('writes %s as XAPI does', (type, value, xml) => {
    expect(encodeXml(value, type, model)).toBe(xml);
  });

  it('reads typed and bare values', () => {
    const params =
      '<param><value>bare &lt;&#65;</value></param><param><value><string>x</string></value></param>' +
      '<param><value><i4>7</i4></value></param><param><value><boolean>0</boolean></value></param>' +
      '<param><value><struct/></value></param>';
    expect(parseXmlCall(call('VM.start', params))).toStrictEqual({
      method: 'VM.start',
      params: ['bare <A', 'x', 7, false, {}],
    });
  });

  it.each([
    '',
    '<methodCall>',
    '<a></b>',
    '<methodCall><methodName>x</methodName><params><param/></params></methodCall>',
  ])('refuses %j', (body) => {
    expect(() => parseXmlCall(body)).toThrow(MalformedRequest);
  });

  it('answers a failure without a fault', async () => {
    const fail = async (): Promise<never> => await Promise.reject(new XapiError('HANDLE_INVALID', ['VM', 'x']));
    const answer = await answerXml(call('VM.start', ''), fail, model);
    expect(answer).toContain('<name>Status</name><value>Failure</value>');
    expect(answer).toContain('<data><value>HANDLE_INVALID</value><value>VM</value><value>x</value></data>');
  });
});
