import { cloneJson, type KubeObject, newConflict, newNotFound, type Status } from '@orrery/apimachinery';
import type { CachedEntry } from '@orrery/storage';
import type { ApiResult, Encoded } from '../handler.ts';
import { judge, mutate } from './admission-chain.ts';
import type { DeleteOptions } from './delete-options.ts';
import { decideDeletion } from './deletion.ts';
import { jsonEqual } from './json-equal.ts';
import { shownForm, storedForm } from './stored-form.ts';
import { TransientItem } from './transient-item.ts';
import { resourceOf, type WriteRequest } from './write-request.ts';

/** How a delete ended. */
export type Deleted =
  /** The object is gone; `item` is its last state. */
  | { readonly gone: true; readonly item: Encoded }
  /** The object waits for its end, marked. */
  | { readonly gone: false; readonly item: Encoded };

const attemptsMax = 100;

/** DELETE of one object. */
export async function deleteObject(request: WriteRequest, options: DeleteOptions): Promise<ApiResult> {
  await mutate(request, 'DELETE', undefined, undefined);
  const deleted = await deleteByName(request, request.name, options);
  const { strategy } = request.endpoint.definition;
  if (!deleted.gone) {
    const code = options.orphanDependents === false ? 202 : 200;
    return { type: 'object', code, item: deleted.item, warnings: request.warnings };
  }
  if (strategy.returnsDeletedObject === true) return { type: 'object', code: 200, item: deleted.item, warnings: request.warnings };
  return { type: 'value', code: 200, value: successStatus(request, deleted.item.object), warnings: request.warnings };
}

/** @throws StatusError NotFound, Conflict (preconditions, or what holds the object) */
export async function deleteByName(request: WriteRequest, name: string, options: DeleteOptions): Promise<Deleted> {
  const { storage } = request.endpoint;
  const key = storage.keyOf(request.namespace, name);
  let current = await storage.current(key);
  let judged: CachedEntry | undefined;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (current === undefined) throw newNotFound(resourceOf(request), name);
    if (judged !== current) await judge(request, 'DELETE', undefined, request.endpoint.show(current).object);
    judged = current;
    const outcome = await deleteOnce(request, key, current, options);
    if ('gone' in outcome) return outcome;
    current = outcome.current;
  }
  throw newConflict(resourceOf(request), name, 'the object is changed too often to be deleted');
}

type Attempt = Deleted | { readonly current: CachedEntry | undefined };

async function deleteOnce(request: WriteRequest, key: string, current: CachedEntry, options: DeleteOptions): Promise<Attempt> {
  const { endpoint, core } = request;
  const shown = endpoint.show(current);
  checkPreconditions(request, shown.object, options);
  checkHeld(request, shown.object);
  const step = decideDeletion(endpoint, shown.object, { ...options, nowMs: core.clock.now() });
  if (step.type === 'pending') return { gone: false, item: shown };
  const object = prepared(request, step.type === 'mark' ? step.object : shown.object, shown.object);
  if (step.type === 'remove' || step.thenRemove) return remove(request, key, current, step.type === 'mark' ? object : shown.object);
  return mark(request, key, current, shown, object);
}

async function mark(request: WriteRequest, key: string, current: CachedEntry, shown: Encoded, object: KubeObject): Promise<Attempt> {
  if (jsonEqual(object, shown.object)) return { gone: false, item: shown };
  if (request.dryRun) return { gone: false, item: new TransientItem(shownForm(object, String(shown.revision)), shown.revision) };
  const outcome = await request.endpoint.storage.put(key, current, storedForm(request.endpoint, object));
  return outcome.written ? { gone: false, item: request.endpoint.show(outcome.entry) } : { current: outcome.current };
}

async function remove(request: WriteRequest, key: string, current: CachedEntry, last: KubeObject): Promise<Attempt> {
  const item = (revision: number): Encoded => new TransientItem(shownForm(last, String(revision)), revision);
  if (request.dryRun) return { gone: true, item: item(current.revision) };
  const outcome = await request.endpoint.storage.delete(key, current);
  return outcome.deleted ? { gone: true, item: item(outcome.revision) } : { current: outcome.current };
}

/** The kind's own changes, with the write that first marks the object. */
function prepared({ endpoint, context }: WriteRequest, object: KubeObject, old: KubeObject): KubeObject {
  const { strategy } = endpoint.definition;
  if (strategy.prepareForDelete === undefined || old.metadata.deletionTimestamp !== undefined) return object;
  const draft = cloneJson(object);
  strategy.prepareForDelete(draft, context);
  return draft as KubeObject;
}

function checkPreconditions(request: WriteRequest, { metadata }: KubeObject, { preconditions }: DeleteOptions): void {
  const { name, uid, resourceVersion } = metadata;
  if (preconditions?.uid !== undefined && preconditions.uid !== uid) {
    const detail = `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw newConflict(resourceOf(request), name, detail);
  }
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
    const detail = `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw newConflict(resourceOf(request), name, detail);
  }
}

function checkHeld(request: WriteRequest, object: KubeObject): void {
  if (object.metadata.deletionTimestamp === undefined) return;
  const held = request.endpoint.definition.strategy.deletionHeldBy?.(object);
  if (held !== undefined) throw newConflict(resourceOf(request), object.metadata.name, held);
}

function successStatus({ endpoint }: WriteRequest, { metadata }: KubeObject): Status {
  const { group, resource } = endpoint.groupResource;
  const details = { name: metadata.name, ...(group === '' ? {} : { group }), kind: resource, uid: metadata.uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}
