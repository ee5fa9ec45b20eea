import { type Draft, type KubeObject, newBadRequest } from '@orrery/apimachinery';
import type { WriteRequest } from './write-request.ts';

/** Records in `metadata.managedFields` who owns the fields of a new object. */
export function trackCreate(_request: WriteRequest, _draft: Draft<KubeObject>): void {}

/** Records in `metadata.managedFields` who owns the fields that a change sets. */
export function trackChange(_request: WriteRequest, _draft: Draft<KubeObject>, _old: KubeObject): void {}

/** The object that server-side apply makes of `old`, owners recorded. */
export function serverSideApplied(_request: WriteRequest, _old: KubeObject | undefined): Draft<KubeObject> {
  throw newBadRequest('server-side apply is not served yet');
}
