import { priorityClasses } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import type { PriorityClass } from '@orrery/api/scheduling/v1';
import { type Draft, isNotFound, type KubeObject } from '@orrery/apimachinery';
import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/apiserver';
import type { AdmissionContext } from '../context.ts';
import { isFor, refusal } from '../refusal.ts';

/** Turns a pod's class into the number that the scheduler reads; sees that there is one default class. */
export function newPriorityPlugin(context: AdmissionContext): AdmissionPlugin {
  return {
    name: 'Priority',
    async admit(draft, attributes) {
      if (draft === undefined || !isFor(attributes, 'pods')) return;
      if (attributes.operation === 'CREATE') await setPriority(context, draft as Draft<Pod>, attributes);
      else if (attributes.operation === 'UPDATE') keepPriority(draft as Draft<Pod>, attributes.old as Pod | undefined);
    },
    async validate(object, attributes) {
      const { definition, operation } = attributes;
      if (definition.group !== 'scheduling.k8s.io' || definition.resource !== 'priorityclasses') return;
      if (operation !== 'CREATE' && operation !== 'UPDATE') return;
      await refuseSecondDefault(context, object, attributes);
    },
  };
}

/** An update that leaves it out keeps it. */
function keepPriority({ spec }: Draft<Pod>, old: Pod | undefined): void {
  if (old?.spec.priority !== undefined) spec.priority ??= old.spec.priority;
  if (old?.spec.preemptionPolicy !== undefined) spec.preemptionPolicy ??= old.spec.preemptionPolicy;
}

async function setPriority(context: AdmissionContext, pod: Draft<Pod>, attributes: AdmissionAttributes): Promise<void> {
  const { spec } = pod;
  const asked = spec.priorityClassName ?? '';
  const found = asked === '' ? await defaultClass(context) : await classNamed(context, asked);
  if (asked !== '' && found === undefined) throw refusal(attributes, pod, `no PriorityClass with name ${asked} was found`);
  if (asked === '' && found !== undefined) spec.priorityClassName = found.metadata.name;
  const value = found?.value ?? 0;
  if (spec.priority !== undefined && spec.priority !== value) {
    const reason = `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`;
    throw refusal(attributes, pod, reason);
  }
  spec.priority = value;
  const policy = found?.preemptionPolicy ?? 'PreemptLowerPriority';
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    const reason = `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`;
    throw refusal(attributes, pod, reason);
  }
  spec.preemptionPolicy = policy;
}

async function classNamed(context: AdmissionContext, name: string): Promise<PriorityClass | undefined> {
  try {
    return await context.client().get(priorityClasses, { name });
  } catch (err) {
    if (isNotFound(err)) return undefined;
    throw err;
  }
}

/** Of several, which a race can leave, the least. */
async function defaultClass(context: AdmissionContext): Promise<PriorityClass | undefined> {
  const { items } = await context.client().list(priorityClasses);
  return items.filter(({ globalDefault }) => globalDefault === true).sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
}

async function refuseSecondDefault(
  context: AdmissionContext,
  object: KubeObject | undefined,
  attributes: AdmissionAttributes,
): Promise<void> {
  const priorityClass = object as PriorityClass | undefined;
  if (priorityClass?.globalDefault !== true) return;
  const present = await defaultClass(context);
  if (present === undefined || present.metadata.name === priorityClass.metadata.name) return;
  throw refusal(attributes, object, `PriorityClass ${present.metadata.name} is already marked as default. Only one default can exist`);
}
