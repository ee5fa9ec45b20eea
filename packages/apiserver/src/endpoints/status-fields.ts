import { cloneJson, decodeStruct, fieldsOf, type Json } from '@orrery/apimachinery';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';

const zeros = new WeakMap<ResourceEndpoint, { readonly status: Json | undefined }>();

/** A new object's status before anybody reported one: what decoding fills in for an absent status. */
export function zeroStatus(endpoint: ResourceEndpoint): Json | undefined {
  let zero = zeros.get(endpoint);
  if (zero === undefined) {
    zero = { status: fieldsOf(decodeStruct(endpoint.schema, {}).object)['status'] };
    zeros.set(endpoint, zero);
  }
  return cloneJson(zero.status) as Json | undefined;
}
