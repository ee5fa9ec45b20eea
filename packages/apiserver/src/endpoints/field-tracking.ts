import type { Draft, KubeObject } from '@orrery/apimachinery';
import type { WriteRequest } from './write-request.ts';

/** Records in `metadata.managedFields` who owns the fields of a new object. */
export function trackCreate(_request: WriteRequest, _draft: Draft<KubeObject>): void {}

/** Records in `metadata.managedFields` who owns the fields that a change sets. */
export function trackChange(_request: WriteRequest, _draft: Draft<KubeObject>, _old: KubeObject): void {}
