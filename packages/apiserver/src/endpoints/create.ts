import {
  type Draft,
  type FieldError,
  type KubeObject,
  newAlreadyExists,
  newBadRequest,
  newInvalid,
  qualifiedResource,
  validateObjectMeta,
} from '@orrery/apimachinery';
import type { ApiResult, Encoded } from '../handler.ts';
import { newGenerateNameConflict } from '../store/storage-status.ts';
import { judge, mutate } from './admission-chain.ts';
import { decodeObject } from './decode-body.ts';
import { trackFields } from './field-tracking.ts';
import { generateName } from './generate-name.ts';
import { hasGeneration } from './generation.ts';
import { putObject } from './put-object.ts';
import { dropRepeatedOwners } from './repeated-owners.ts';
import { zeroStatus } from './status-fields.ts';
import { shownForm } from './stored-form.ts';
import { TransientItem } from './transient-item.ts';
import { resourceOf, type WriteRequest, warn } from './write-request.ts';

/** Names tried before a generated name counts as taken. Source: registry.maxNameGenerationCreateAttempts. */
const generatedNamesMax = 8;

/** POST of the main resource. */
export async function create(request: WriteRequest): Promise<ApiResult> {
  const draft = decodeObject(request);
  const namespaced = withNamespace(request, draft);
  const item = await createFrom(namespaced, draft);
  return { type: 'object', code: 201, item, warnings: request.warnings };
}

/**
 * Creates `draft`, which the request owns: defaults, field owners, mutating admission, preparation, validation, validating
 * admission, then the store.
 */
export async function createFrom(request: WriteRequest, draft: Draft<KubeObject>, tracked = false): Promise<Encoded> {
  const { endpoint, core } = request;
  const { strategy, status } = endpoint.definition;
  if ((draft.metadata.resourceVersion ?? '') !== '') throw newBadRequest('resourceVersion should not be set on objects to be created');
  strategy.default?.(draft);
  if (!tracked) trackFields(request, draft, undefined);
  await mutate(request, 'CREATE', draft, undefined);
  dropRepeatedOwners(request, draft);
  const generated = fillSystemFields(request, draft);
  if (status !== undefined && strategy.keepsStatusOnCreate !== true) (draft as { status?: unknown }).status = zeroStatus(endpoint);
  strategy.prepareForCreate?.(draft, request.context);
  refuse(request, draft, [...metaErrors(request, draft), ...(strategy.validate?.(draft as KubeObject, request.context) ?? [])]);
  for (const text of strategy.warnings?.(draft as KubeObject, undefined, request.context) ?? []) warn(request, text);
  await judge(request, 'CREATE', draft as KubeObject, undefined);
  for (let attempt = 1; ; attempt++) {
    const created = await insert(request, draft as KubeObject);
    if (created !== undefined) return created;
    const { name, generateName: base = '' } = draft.metadata;
    if (!generated) throw newAlreadyExists(resourceOf(request), name);
    if (attempt >= generatedNamesMax) throw newGenerateNameConflict(resourceOf(request), qualifiedResource(resourceOf(request)), name);
    draft.metadata.name = generateName(base, core.random);
  }
}

/** Undefined when the name is taken. */
async function insert(request: WriteRequest, draft: KubeObject): Promise<Encoded | undefined> {
  const { endpoint, dryRun, namespace } = request;
  const { storage } = endpoint;
  const key = storage.keyOf(namespace, draft.metadata.name);
  const waiting = storage.fresh();
  if (waiting !== undefined) await waiting;
  if (dryRun) return storage.cache.get(key) === undefined ? new TransientItem(shownForm(draft, undefined), 0) : undefined;
  const outcome = await putObject(request, key, undefined, draft);
  return outcome.written ? endpoint.show(outcome.entry) : undefined;
}

/** Fits the object's namespace and the request's. Source: rest.EnsureObjectNamespaceMatchesRequestNamespace. */
function withNamespace(request: WriteRequest, { metadata }: Draft<KubeObject>): WriteRequest {
  const { endpoint, namespace } = request;
  const own = metadata.namespace ?? '';
  if (!endpoint.definition.namespaced) {
    delete metadata.namespace;
    return request;
  }
  const wanted = namespace ?? own;
  if (wanted === '') throw newBadRequest('an empty namespace may not be set during creation');
  if (own !== '' && own !== wanted) {
    throw newBadRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  metadata.namespace = wanted;
  return namespace === wanted ? request : { ...request, namespace: wanted, context: { ...request.context, namespace: wanted } };
}

/** Uid, timestamps, generation and name are the server's. Returns whether the name was generated. */
function fillSystemFields({ core, endpoint, context }: WriteRequest, draft: Draft<KubeObject>): boolean {
  const { metadata } = draft;
  const { generateName: base = '', name = '' } = metadata;
  const generated = base !== '' && name === '';
  if (generated) metadata.name = generateName(base, core.random);
  metadata.uid = core.random.uuid();
  metadata.creationTimestamp = context.now;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  if (hasGeneration(endpoint)) metadata.generation = 1;
  else delete metadata.generation;
  return generated;
}

function metaErrors({ endpoint }: WriteRequest, { metadata }: Draft<KubeObject>): FieldError[] {
  const { namespaced, strategy } = endpoint.definition;
  return validateObjectMeta(metadata, {
    namespaced,
    ...(strategy.validateName === undefined ? {} : { validateName: (name, isPrefix) => strategy.validateName?.(name, isPrefix) ?? [] }),
  });
}

export function refuse({ endpoint }: WriteRequest, { metadata }: KubeObject | Draft<KubeObject>, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw newInvalid(endpoint.groupKind, metadata.name ?? '', errors);
}
