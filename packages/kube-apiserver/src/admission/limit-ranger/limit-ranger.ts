import { limitRanges } from '@orrery/api';
import type { LimitRange, PersistentVolumeClaim, Pod } from '@orrery/api/core/v1';
import type { Draft, KubeObject } from '@orrery/apimachinery';
import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/apiserver';
import type { AdmissionContext } from '../context.ts';
import { refusal } from '../refusal.ts';
import { claimFaults, podFaults } from './constraints.ts';
import { setDefaults } from './defaults.ts';

/** Gives containers the defaults of their namespace's LimitRanges, and refuses pods and claims that leave their bounds. */
export function newLimitRanger(context: AdmissionContext): AdmissionPlugin {
  /** In the order of their names: the first that has a default gives it. */
  const rangesOf = async ({ namespace }: AdmissionAttributes): Promise<readonly LimitRange[]> =>
    namespace === undefined ? [] : (await context.client().list(limitRanges, { namespace })).items;
  return {
    name: 'LimitRanger',
    async admit(draft, attributes) {
      if (draft === undefined || limitedKind(attributes) !== 'pods') return;
      for (const range of await rangesOf(attributes)) setDefaults(draft as Draft<Pod>, range);
    },
    async validate(object, attributes) {
      const kind = limitedKind(attributes);
      if (object === undefined || kind === undefined || isLeaving(attributes.old)) return;
      for (const { spec } of await rangesOf(attributes)) {
        const faults = (spec?.limits ?? []).flatMap((item) =>
          kind === 'pods' ? podFaults(item, object as Pod) : claimFaults(item, object as PersistentVolumeClaim),
        );
        if (faults.length > 0) throw refusal(attributes, object, aggregate(faults));
      }
    },
  };
}

/** Pods when they are made and when they are resized, claims always. Source: DefaultLimitRangerActions.SupportsAttributes. */
function limitedKind({ definition, operation, subresource }: AdmissionAttributes): 'pods' | 'persistentvolumeclaims' | undefined {
  if (definition.group !== '' || (operation !== 'CREATE' && operation !== 'UPDATE')) return undefined;
  if (definition.resource === 'persistentvolumeclaims') return subresource === '' ? 'persistentvolumeclaims' : undefined;
  if (definition.resource !== 'pods') return undefined;
  return subresource === (operation === 'CREATE' ? '' : 'resize') ? 'pods' : undefined;
}

const isLeaving = (old: KubeObject | undefined): boolean => old?.metadata.deletionTimestamp !== undefined;

/** One message as it is, several in brackets, each once. Source: utilerrors.Aggregate. */
function aggregate(messages: readonly string[]): string {
  const all = [...new Set(messages)];
  return all.length === 1 ? (all[0] ?? '') : `[${all.join(', ')}]`;
}
