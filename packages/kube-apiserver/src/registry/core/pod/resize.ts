import type { Container, Pod, PodSpec } from '@orrery/api/core/v1';
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
    draft.spec = { ...asDraft(old.spec), containers, ...(old.spec.initContainers === undefined ? {} : { initContainers }) };
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
  errors.push(...validateKind(next.spec, old.spec));
  return [...errors, ...validateRemovals(next.spec, old.spec)];
}

/** The spec without the amounts that a resize may change. */
function frozen(spec: PodSpec): unknown {
  const strip = (container: Container): unknown => ({
    ...container,
    resizePolicy: undefined,
    resources: { ...container.resources, limits: without(container.resources?.limits), requests: without(container.resources?.requests) },
  });
  return { ...spec, containers: (spec.containers ?? []).map(strip), initContainers: (spec.initContainers ?? []).map(strip) };
}
const without = (amounts: Readonly<Record<string, string>> | undefined): unknown =>
  Object.fromEntries(Object.entries(amounts ?? {}).filter(([name]) => !resizable.has(name)));

function validateKind(next: PodSpec, old: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (!semanticEqual(frozen(next), frozen(old))) errors.push(forbidden('spec', 'only cpu and memory resources are mutable'));
  for (const [index, container] of (old.initContainers ?? []).entries()) {
    if (container.restartPolicy === 'Always' || semanticEqual(container.resources, next.initContainers?.[index]?.resources)) continue;
    errors.push(forbidden('spec', 'only cpu and memory resources for sidecar containers are mutable'));
  }
  return errors;
}

function validateRemovals(next: PodSpec, old: PodSpec): FieldError[] {
  return (old.containers ?? []).flatMap((container, index) =>
    (['limits', 'requests'] as const).flatMap((key) => {
      const after = next.containers?.[index]?.resources?.[key] ?? {};
      const lost = Object.keys(container.resources?.[key] ?? {}).some((name) => after[name] === undefined);
      const what = key === 'limits' ? 'resource limits cannot be removed' : 'resource requests cannot be removed';
      return lost ? [forbidden(`spec.containers[${index}].resources.${key}`, what)] : [];
    }),
  );
}
