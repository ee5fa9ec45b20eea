import type { Container, Pod, PodSpec, ResourceRequirements } from '@orrery/api/core/v1';
import { type Draft, type FieldError, forbidden, invalid } from '@orrery/apimachinery';
import type { PartialUpdate } from '@orrery/apiserver';
import { asDraft } from '../../defaulting.ts';
import { semanticEqual } from '../../semantic-equal.ts';
import { defaultPod } from '../pod-spec/defaults.ts';
import { qosClassOf } from './qos.ts';
import { validatePod } from './validation.ts';

const MIRROR = 'kubernetes.io/config.mirror';
const resizable = new Set(['cpu', 'memory']);

/** `/resize`: changes what containers may use while they run (KEP-1287). */
export const podResize: PartialUpdate<Pod> = {
  default: defaultPod,
  prepareForUpdate(draft, old) {
    draft.status = asDraft(old.status);
    const containers = merged(draft.spec.containers, old.spec.containers);
    const initContainers = merged(draft.spec.initContainers, old.spec.initContainers);
    if (containers === undefined || initContainers === undefined) return; // Other containers: left for validation to refuse.
    const { resources } = draft.spec;
    draft.spec = { ...asDraft(old.spec), containers, ...(old.spec.initContainers === undefined ? {} : { initContainers }) };
    if (resources === undefined) delete draft.spec.resources;
    else draft.spec.resources = resources;
  },
  validateUpdate: validateResize,
};

/** `old` with the resources of `next`; undefined where the containers are not the same ones. */
function merged(next: readonly Draft<Container>[] | undefined, old: readonly Container[] | undefined): Draft<Container>[] | undefined {
  const before = old ?? [];
  const after = next ?? [];
  if (before.length !== after.length || before.some(({ name }, index) => after[index]?.name !== name)) return undefined;
  return before.map((container, index) => {
    const { resources, resizePolicy } = after[index] ?? {};
    const copy: Draft<Container> = { ...asDraft(container) };
    if (resources === undefined) delete copy.resources;
    else copy.resources = resources;
    if (resizePolicy === undefined) delete copy.resizePolicy;
    else copy.resizePolicy = resizePolicy;
    return copy;
  });
}

/** Source: ValidatePodResize. */
function validateResize(next: Pod, old: Pod): FieldError[] {
  if (old.metadata.annotations?.[MIRROR] !== undefined) return [forbidden('', 'static pods cannot be resized')];
  if (old.spec.os?.name === 'windows') return [forbidden('', 'windows pods cannot be resized')];
  const errors = validatePod(next);
  const qos = qosClassOf(next.spec);
  if (qos !== (old.status?.qosClass ?? qosClassOf(old.spec))) {
    errors.push(invalid('spec', qos, 'Pod QOS Class may not change as a result of resizing'));
  }
  if (!isSupported(old)) errors.push(forbidden('spec', 'Pod running on node without support for resize'));
  return [...errors, ...validateRemovals(next.spec, old.spec), ...validateKind(next.spec, old.spec)];
}

/** A node that can resize tells what its running containers have. */
function isSupported({ status }: Pod): boolean {
  const running = (status?.containerStatuses ?? []).find(({ state }) => state?.running !== undefined);
  return running === undefined || running.resources !== undefined;
}

/** The container without the amounts that a resize may change. */
function frozen(container: Container): unknown {
  return { ...container, resizePolicy: undefined, resources: frozenAmounts(container.resources) };
}
const frozenAmounts = (resources: ResourceRequirements | undefined): unknown => ({
  limits: without(resources?.limits),
  requests: without(resources?.requests),
});
const without = (amounts: Readonly<Record<string, string>> | undefined): unknown =>
  Object.fromEntries(Object.entries(amounts ?? {}).filter(([name]) => !resizable.has(name)));
const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';

function validateKind(next: PodSpec, old: PodSpec): FieldError[] {
  const mutable = 'only cpu and memory resources are mutable';
  const errors: FieldError[] = [];
  const containers = old.containers ?? [];
  const initContainers = old.initContainers ?? [];
  if (containers.length !== (next.containers ?? []).length || initContainers.length !== (next.initContainers ?? []).length) {
    return [forbidden('spec', mutable)];
  }
  for (const [index, container] of containers.entries()) {
    const after = next.containers[index];
    if (after === undefined || !semanticEqual(frozen(after), frozen(container))) errors.push(forbidden('spec', mutable));
  }
  for (const [index, container] of initContainers.entries()) {
    const after = next.initContainers?.[index];
    if (!isSidecar(container)) {
      if (!semanticEqual(after, container)) errors.push(forbidden('spec', 'resources for non-sidecar init containers are immutable'));
    } else if (after === undefined || !semanticEqual(frozen(after), frozen(container))) {
      errors.push(forbidden('spec', 'only cpu and memory resources for sidecar containers are mutable'));
    }
  }
  const rest = (spec: PodSpec): unknown => ({
    ...spec,
    containers: undefined,
    initContainers: undefined,
    resources: frozenAmounts(spec.resources),
  });
  return errors.length > 0 || semanticEqual(rest(next), rest(old)) ? errors : [forbidden('spec', mutable)];
}

function validateRemovals(next: PodSpec, old: PodSpec): FieldError[] {
  const sidecars = (old.initContainers ?? []).map((container) => (isSidecar(container) ? container.resources : undefined));
  return [
    ...removed(next.resources, old.resources, 'spec.resources'),
    ...sidecars.flatMap((before, index) =>
      removed(next.initContainers?.[index]?.resources, before, `spec.initContainers[${index}].resources`),
    ),
    ...(old.containers ?? []).flatMap(({ resources }, index) =>
      removed(next.containers?.[index]?.resources, resources, `spec.containers[${index}].resources`),
    ),
  ];
}

/** Amounts may change, but not go away. */
function removed(next: ResourceRequirements | undefined, old: ResourceRequirements | undefined, field: string): FieldError[] {
  return (['requests', 'limits'] as const).flatMap((key) => {
    const lost = Object.keys(old?.[key] ?? {}).some((name) => next?.[key]?.[name] === undefined);
    return lost
      ? [forbidden(`${field}.${key}`, key === 'limits' ? 'resource limits cannot be removed' : 'resource requests cannot be removed')]
      : [];
  });
}
