import { everyField, everyLabel, type KubeObject, newNotFound, parseFieldSelector, parseLabelSelector } from '@orrery/apimachinery';
import type { ApiCall, ApiResult } from '../handler.ts';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import { checkListOptions } from './list-options.ts';
import { fieldReaderOf } from './selection.ts';
import { TransientItem } from './transient-item.ts';

/** get and list of a kind that is computed when it is read. */
export async function computed(endpoint: ResourceEndpoint, call: ApiCall, signal: AbortSignal): Promise<ApiResult> {
  return call.verb === 'get' ? getOne(endpoint, call, signal) : listSome(endpoint, call, signal);
}

async function getOne({ definition, groupResource }: ResourceEndpoint, { namespace, name = '' }: ApiCall, signal: AbortSignal) {
  const objects = (await definition.compute?.({ namespace: definition.namespaced ? namespace : undefined, name }, signal)) ?? [];
  const found = objects.find((object) => object.metadata.name === name);
  if (found === undefined) throw newNotFound(groupResource, name);
  return { type: 'object', code: 200, item: new TransientItem(found, 0), warnings: [] } as const;
}

/** All of it: what is computed anew for each page has no version to continue from. */
async function listSome(endpoint: ResourceEndpoint, call: ApiCall, signal: AbortSignal): Promise<ApiResult> {
  const { definition, apiVersion } = endpoint;
  const options = call.options ?? {};
  checkListOptions(options);
  const { labelSelector = '', fieldSelector = '' } = options;
  const labels = labelSelector === '' ? everyLabel : parseLabelSelector(labelSelector);
  const fields = fieldSelector === '' ? everyField : parseFieldSelector(fieldSelector);
  const tests = fields.requirements.map(({ field, operator, value }) => {
    const read = fieldReaderOf(definition, field);
    return (object: KubeObject): boolean => (read(object) === value) === (operator === '=');
  });
  const asked = call.namespace === '' ? undefined : call.namespace;
  const namespace = definition.namespaced ? (asked ?? fields.exactMatch('metadata.namespace')) : undefined;
  const scope = { namespace, name: call.name ?? fields.exactMatch('metadata.name') };
  const objects = (await definition.compute?.(scope, signal)) ?? [];
  const items = objects
    .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace)
    .filter((object) => labels.matches(object.metadata.labels) && tests.every((test) => test(object)))
    .map((object) => new TransientItem(object, 0));
  return { type: 'list', listKind: `${definition.kind}List`, apiVersion, metadata: {}, items };
}
