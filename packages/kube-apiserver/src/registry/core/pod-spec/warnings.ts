import type { Container, EphemeralContainer, PodSpec, PodTemplateSpec } from '@orrery/api/core/v1';
import { compareQuantity } from '@orrery/apimachinery';
import { semanticEqual } from '../../semantic-equal.ts';

type AnyContainer = Container | EphemeralContainer;

/** Node labels that were renamed; a selector that uses one finds fewer and fewer nodes. */
const deprecatedNodeLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

/** Warnings about a template that changed, or is new. @param field - Path of the template. */
export function podTemplateWarnings(field: string, template: PodTemplateSpec | undefined, old: PodTemplateSpec | undefined): string[] {
  if (template?.spec === undefined || (old !== undefined && semanticEqual(template, old))) return [];
  return podSpecWarnings(`${field}.spec`, template.spec);
}

/** What in a pod spec works, but not as its author may think. Source: warningsForPodSpecAndMeta. */
export function podSpecWarnings(field: string, spec: PodSpec): string[] {
  return [
    ...Object.keys(spec.nodeSelector ?? {})
      .sort()
      .filter((key) => key in deprecatedNodeLabels)
      .map((key) => `${field}.nodeSelector[${key}]: ${deprecatedNodeLabels[key]}`),
    ...(spec.hostAliases ?? []).flatMap(({ ip }, index, list) =>
      list.findIndex((other) => other.ip === ip) < index ? [`${field}.hostAliases[${index}].ip: duplicate ip "${ip}"`] : [],
    ),
    ...duplicateNames(spec.imagePullSecrets, `${field}.imagePullSecrets`, 'name'),
    ...volumeWarnings(spec, field),
    ...eachContainer(spec, field).flatMap(([container, path]) => containerWarnings(container, path)),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0
      ? [`${field}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
  ];
}

function duplicateNames(list: readonly { readonly name?: string }[] | undefined, field: string, key: string): string[] {
  const seen = new Set<string>();
  return (list ?? []).flatMap(({ name = '' }, index) => {
    if (name === '') return [`${field}[${index}].${key}: invalid empty name ""`];
    const again = seen.has(name);
    seen.add(name);
    return again ? [`${field}[${index}].${key}: duplicate name "${name}"`] : [];
  });
}

function volumeWarnings({ volumes }: PodSpec, field: string): string[] {
  return (volumes ?? []).flatMap((volume, index) => {
    const path = `${field}.volumes[${index}]`;
    const found: string[] = [];
    if (volume.photonPersistentDisk) found.push(`${path}.photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+`);
    if (volume.gitRepo) found.push(`${path}.gitRepo: deprecated in v1.11`);
    if (volume.scaleIO) found.push(`${path}.scaleIO: deprecated in v1.16, non-functional in v1.22+`);
    if (volume.flocker) found.push(`${path}.flocker: deprecated in v1.22, non-functional in v1.25+`);
    if (volume.storageos) found.push(`${path}.storageOS: deprecated in v1.22, non-functional in v1.25+`);
    if (volume.quobyte) found.push(`${path}.quobyte: deprecated in v1.22, non-functional in v1.25+`);
    if (volume.glusterfs) found.push(`${path}.glusterfs: deprecated in v1.25, non-functional in v1.26+`);
    if (volume.cephfs) found.push(`${path}.cephfs: deprecated in v1.28, non-functional in v1.31+`);
    if (volume.rbd) found.push(`${path}.rbd: deprecated in v1.28, non-functional in v1.31+`);
    return found;
  });
}

function eachContainer(spec: PodSpec, field: string): (readonly [AnyContainer, string])[] {
  const of = (list: readonly AnyContainer[] | undefined, name: string): (readonly [AnyContainer, string])[] =>
    (list ?? []).map((container, index) => [container, `${field}.${name}[${index}]`] as const);
  return [
    ...of(spec.initContainers, 'initContainers'),
    ...of(spec.containers, 'containers'),
    ...of(spec.ephemeralContainers, 'ephemeralContainers'),
  ];
}

function containerWarnings(container: AnyContainer, field: string): string[] {
  return [
    ...[container.resources?.limits, container.resources?.requests].flatMap((amounts, index) =>
      Object.entries(amounts ?? {}).flatMap(([name, value]) =>
        fractional(name, value, `${field}.resources.${index === 0 ? 'limits' : 'requests'}`),
      ),
    ),
    ...envWarnings(container, `${field}.env`),
    ...portWarnings(container, `${field}.ports`),
  ];
}

/** Less than one byte cannot be given. */
function fractional(name: string, value: string, field: string): string[] {
  if (name !== 'memory' && name !== 'ephemeral-storage') return [];
  const whole = !/m$/.test(value) || compareQuantity(value, '0') === 0;
  return whole ? [] : [`${field}[${name}]: fractional byte value "${value}" is invalid, must be an integer`];
}

function envWarnings({ env }: AnyContainer, field: string): string[] {
  const names = new Set<string>();
  return (env ?? []).flatMap(({ name, value }, index) => {
    const hides = names.has(name) && value?.includes(`$(${name})`) !== true; // A value may build on the one before.
    names.add(name);
    return hides ? [`${field}[${index}]: hides previous definition of "${name}", which may be dropped when using apply`] : [];
  });
}

function portWarnings({ ports }: AnyContainer, field: string): string[] {
  const seen = new Map<string, number>();
  return (ports ?? []).flatMap(({ containerPort, protocol = 'TCP', hostIP = '', hostPort = 0 }, index) => {
    const id = `${containerPort}/${protocol}/${hostIP}/${hostPort}`;
    const before = seen.get(id);
    seen.set(id, index);
    return before === undefined ? [] : [`${field}[${index}]: duplicate port definition with ${field}[${before}]`];
  });
}
