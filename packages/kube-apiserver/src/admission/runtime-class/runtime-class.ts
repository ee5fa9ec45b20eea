import { runtimeClasses } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import type { RuntimeClass } from '@orrery/api/node/v1';
import { type Draft, isNotFound, type KubeObject } from '@orrery/apimachinery';
import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/apiserver';
import { asDraft } from '../../registry/defaulting.ts';
import { semanticEqual } from '../../registry/semantic-equal.ts';
import type { AdmissionContext } from '../context.ts';
import { isFor, refusal } from '../refusal.ts';
import { mergeTolerations } from './merge-tolerations.ts';

const MISMATCH = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

/** Gives new pods what their runtime class costs (KEP-688) and where it is to be had (KEP-894). */
export function newRuntimeClassPlugin(context: AdmissionContext): AdmissionPlugin {
  const concerns = (attributes: AdmissionAttributes): boolean => isFor(attributes, 'pods') && attributes.operation === 'CREATE';
  return {
    name: 'RuntimeClass',
    async admit(draft, attributes) {
      if (draft === undefined || !concerns(attributes)) return;
      const pod = draft as Draft<Pod>;
      const found = await classOf(context, pod, attributes);
      if (found?.overhead !== undefined) setOverhead(found.overhead.podFixed, pod, attributes);
      if (found?.scheduling !== undefined) setScheduling(found.scheduling, pod, attributes);
    },
    async validate(object, attributes) {
      if (object === undefined || !concerns(attributes)) return;
      const { spec } = object as Pod;
      const found = await classOf(context, object as Pod, attributes);
      if (found?.overhead !== undefined) {
        if (!semanticEqual(found.overhead.podFixed, spec.overhead)) throw refusal(attributes, object, MISMATCH);
      } else if (spec.overhead !== undefined) {
        throw refusal(attributes, object, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
      }
    },
  };
}

async function classOf(
  context: AdmissionContext,
  pod: Pod | Draft<Pod>,
  attributes: AdmissionAttributes,
): Promise<RuntimeClass | undefined> {
  const name = pod.spec.runtimeClassName;
  if (name === undefined || name === null) return undefined;
  try {
    return await context.client().get(runtimeClasses, { name });
  } catch (err) {
    if (!isNotFound(err)) throw err;
    throw refusal(attributes, pod as KubeObject, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
  }
}

function setOverhead(podFixed: NonNullable<RuntimeClass['overhead']>['podFixed'], pod: Draft<Pod>, attributes: AdmissionAttributes): void {
  if (pod.spec.overhead !== undefined && !semanticEqual(podFixed, pod.spec.overhead)) throw refusal(attributes, pod, MISMATCH);
  if (podFixed !== undefined) pod.spec.overhead = asDraft(podFixed);
}

function setScheduling(
  { nodeSelector, tolerations }: NonNullable<RuntimeClass['scheduling']>,
  pod: Draft<Pod>,
  attributes: AdmissionAttributes,
): void {
  const selector: Record<string, string> = { ...pod.spec.nodeSelector };
  for (const [key, value] of Object.entries(nodeSelector ?? {})) {
    const own = selector[key];
    if (own !== undefined && own !== value) {
      const clash = `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`;
      throw refusal(attributes, pod, clash);
    }
    selector[key] = value;
  }
  if (Object.keys(selector).length > 0) pod.spec.nodeSelector = selector;
  const merged = mergeTolerations((pod.spec.tolerations ?? []) as Pod['spec']['tolerations'] & object, tolerations ?? []);
  if (merged.length > 0) pod.spec.tolerations = asDraft(merged);
}
