import {
  type Draft,
  type FieldError,
  invalid,
  type KubeObject,
  newConflict,
  newInvalid,
  newNotFound,
  validateObjectMetaUpdate,
  withStoredTimes,
} from '@orrery/apimachinery';
import type { CachedEntry } from '@orrery/storage';
import type { Encoded } from '../handler.ts';
import { failedPrecondition, staleObjectDetail } from '../store/storage-status.ts';
import { judge, mutate } from './admission-chain.ts';
import { createFrom, refuse } from './create.ts';
import { trackFields } from './field-tracking.ts';
import { carryGeneration, keepGeneration } from './generation.ts';
import { jsonEqual } from './json-equal.ts';
import { putObject } from './put-object.ts';
import { dropRepeatedOwners } from './repeated-owners.ts';
import { shownForm } from './stored-form.ts';
import { TransientItem } from './transient-item.ts';
import { resourceOf, type WriteRequest, warn } from './write-request.ts';

/** How one kind of update makes and judges the new object. */
export interface UpdatePlan {
  /** The wanted object, before defaults; a fresh one each time. @param old - Undefined: there is none, and `allowCreate` holds. */
  produce(old: KubeObject | undefined): Draft<KubeObject> | Promise<Draft<KubeObject>>;
  /** An absent object is created. */
  readonly allowCreate: boolean;
  /** `produce` has recorded the field owners itself (apply). */
  readonly tracked: boolean;
  /** The generation stays, whatever changes: for the status, and the server's own writes (binding). @default false */
  readonly keepsGeneration?: boolean;
  /** Takes over from `old` what this update may not change, and what the kind wants done. */
  prepare(draft: Draft<KubeObject>, old: KubeObject): void;
  validate(object: KubeObject, old: KubeObject): FieldError[];
  warnings(object: KubeObject, old: KubeObject): string[];
}

export interface Updated {
  readonly item: Encoded;
  readonly created: boolean;
}

/** Tries before an update that loses every race gives up. Each lost race is a write of somebody else that went through. */
const attemptsMax = 100;

/** Read, change, compare-and-put; again when somebody else was first. A version or uid that the new object names must be the stored one. */
export async function updateLoop(request: WriteRequest, plan: UpdatePlan): Promise<Updated> {
  const { storage } = request.endpoint;
  const key = storage.keyOf(request.namespace, request.name);
  let current = await storage.current(key);
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const outcome = current === undefined ? await createAbsent(request, plan) : await updateOnce(request, plan, key, current);
    if ('item' in outcome) return outcome;
    current = outcome.current;
  }
  throw newConflict(resourceOf(request), request.name, staleObjectDetail);
}

type Attempt = Updated | { readonly current: CachedEntry | undefined };

async function createAbsent(request: WriteRequest, plan: UpdatePlan): Promise<Attempt> {
  if (!plan.allowCreate) throw newNotFound(resourceOf(request), request.name);
  const draft = await plan.produce(undefined);
  return { item: await createFrom(request, draft, plan.tracked), created: true };
}

async function updateOnce(request: WriteRequest, plan: UpdatePlan, key: string, current: CachedEntry): Promise<Attempt> {
  const { endpoint } = request;
  const shown = endpoint.show(current);
  const old = shown.object;
  const draft = await plan.produce(old);
  checkPreconditions(request, key, draft, old);
  endpoint.definition.strategy.default?.(draft);
  if (!plan.tracked) trackFields(request, draft, old);
  await mutate(request, 'UPDATE', draft, old);
  dropRepeatedOwners(request, draft);
  plan.prepare(draft, old);
  carryMetadata(draft, old);
  if (plan.keepsGeneration === true) keepGeneration(draft, old);
  else carryGeneration(endpoint, draft, old);
  const object = draft as KubeObject;
  refuse(request, draft, [...validateObjectMetaUpdate(draft.metadata, old.metadata), ...plan.validate(object, old)]);
  for (const text of plan.warnings(object, old)) warn(request, text);
  await judge(request, 'UPDATE', object, old);
  return commit(request, key, current, shown, object);
}

async function commit(request: WriteRequest, key: string, current: CachedEntry, shown: Encoded, object: KubeObject): Promise<Attempt> {
  const { endpoint, dryRun } = request;
  const { storage } = endpoint;
  if (removedBy(request, object)) {
    if (dryRun) return { item: new TransientItem(shownForm(object, String(shown.revision)), shown.revision), created: false };
    const outcome = await storage.delete(key, current);
    if (!outcome.deleted) return { current: outcome.current };
    return { item: new TransientItem(shownForm(object, String(outcome.revision)), outcome.revision), created: false };
  }
  const unchanged = jsonEqual(shownForm(withStoredTimes(object, shown.object), undefined), shownForm(shown.object, undefined));
  if (unchanged) return { item: shown, created: false };
  if (dryRun) return { item: new TransientItem(shownForm(object, String(shown.revision)), shown.revision), created: false };
  const outcome = await putObject(request, key, current, object);
  return outcome.written ? { item: endpoint.show(outcome.entry), created: false } : { current: outcome.current };
}

/** An object on its way out goes with its last finalizer. Source: registry.ShouldDeleteDuringUpdate. */
function removedBy({ endpoint }: WriteRequest, object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  if (deletionTimestamp === undefined || finalizers.length > 0 || deletionGracePeriodSeconds > 0) return false;
  return endpoint.definition.strategy.deletionHeldBy?.(object) === undefined;
}

function checkPreconditions(request: WriteRequest, key: string, { metadata }: Draft<KubeObject>, old: KubeObject): void {
  const { uid = '', resourceVersion = '' } = metadata;
  const name = old.metadata.name;
  if (uid !== '' && uid !== old.metadata.uid) {
    throw newConflict(resourceOf(request), name, failedPrecondition(key, 'UID', uid, old.metadata.uid));
  }
  if (resourceVersion === '' || resourceVersion === '0') {
    if (request.endpoint.definition.strategy.allowUnconditionalUpdate !== false) return;
    const path = 'metadata.resourceVersion';
    throw newInvalid(request.endpoint.groupKind, name, [invalid(path, Number(resourceVersion), 'must be specified for an update')]);
  }
  if (resourceVersion !== old.metadata.resourceVersion) throw newConflict(resourceOf(request), name, staleObjectDetail);
}

/** What no update changes. Source: rest.BeforeUpdate. */
function carryMetadata({ metadata }: Draft<KubeObject>, old: KubeObject): void {
  metadata.resourceVersion = old.metadata.resourceVersion;
  if ((metadata.uid ?? '') === '') metadata.uid = old.metadata.uid;
  if (old.metadata.creationTimestamp !== undefined) metadata.creationTimestamp = old.metadata.creationTimestamp;
  if (old.metadata.deletionTimestamp !== undefined) metadata.deletionTimestamp = old.metadata.deletionTimestamp;
  if (old.metadata.deletionGracePeriodSeconds !== undefined) {
    metadata.deletionGracePeriodSeconds = old.metadata.deletionGracePeriodSeconds;
  }
  delete metadata.selfLink;
}
