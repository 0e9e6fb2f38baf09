import { isIP } from 'node:net';
import { Inject, Injectable, Optional } from '@nestjs/common';
import type { AddressRange } from '../../platform/config/readers.ts';
import { createAddressPolicy, type AddressPolicy } from './address-policy.ts';
import { urlRefused } from './webhook.errors.ts';

/** Injection token: the operator's list, HOLDFAST_WEBHOOK_ALLOW. Where nobody provides it, nothing private is listed. */
export const WEBHOOK_ALLOW = Symbol('WEBHOOK_ALLOW');

/** Says at once what no attempt could ever reach. Names are judged when they are resolved, at each attempt. */
@Injectable()
export class WebhookUrls {
  readonly #policy: AddressPolicy;

  constructor(@Optional() @Inject(WEBHOOK_ALLOW) allow: readonly AddressRange[] | null) {
    this.#policy = createAddressPolicy(allow ?? []);
  }

  /** The URL as it will be called; throws WEBHOOK_URL_REFUSED. */
  accept(text: string): string {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
      throw urlRefused('A webhook endpoint is an https URL.');
    }
    if (url.username !== '' || url.password !== '' || url.hash !== '') {
      throw urlRefused('A webhook URL has no credentials and no fragment; the signature says who is calling.');
    }
    if (url.protocol === 'http:' && !this.#policy.listsAny) {
      throw urlRefused('A webhook URL is https; plain http goes only to addresses that the operator has listed.');
    }
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && this.#policy.judge(host) === 'REFUSED') {
      throw urlRefused('The address is not public, and the operator has not listed it.');
    }
    return url.href;
  }
}
