import type { Container, ContainerPort, EphemeralContainer, NodeSelectorTerm, PodSpec, PodTemplateSpec } from '@orrery/api/core/v1';
import { fieldPath, type ObjectMeta, quantityMilliValue } from '@orrery/apimachinery';
import { semanticEqual } from '../../semantic-equal.ts';
import { deprecatedVolumes } from './deprecated-volumes.ts';

type AnyContainer = Container | EphemeralContainer;

/** Node labels that were renamed; a selector that uses one finds fewer and fewer nodes. Source: nodeapi.GetNodeLabelDeprecatedMessage. */
const deprecatedNodeLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};
const deprecatedAnnotations: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};

/** Warnings about a template that changed, or is new. @param field - Path of the template. */
export function podTemplateWarnings(field: string, template: PodTemplateSpec | undefined, old: PodTemplateSpec | undefined): string[] {
  if (template?.spec === undefined || (old !== undefined && semanticEqual(template, old))) return [];
  return podSpecWarnings(field, template.spec, template.metadata);
}

/** What in a pod works, but not as its author may think. @param field - Path of the template; empty for a pod. Source: warningsForPodSpecAndMeta. */
export function podSpecWarnings(field: string, spec: PodSpec, metadata: Partial<ObjectMeta> | undefined): string[] {
  const path = fieldPath(field, 'spec');
  return [
    ...selectorWarnings(spec, path),
    ...Object.entries(deprecatedAnnotations)
      .filter(([key]) => metadata?.annotations?.[key] !== undefined)
      .map(([key, message]) => `${fieldPath(field, 'metadata', 'annotations', { key })}: ${message}`),
    ...deprecatedVolumes(spec, path),
    ...aliasWarnings(spec, path),
    ...pullSecretWarnings(spec, path),
    ...fractionalAmounts(spec.overhead, `${path}.overhead`),
    ...eachContainer(spec, path).flatMap(([container, at]) => containerWarnings(container, at)),
    ...portWarnings(spec, path),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0
      ? [`${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
  ];
}

function selectorWarnings({ nodeSelector, affinity, topologySpreadConstraints }: PodSpec, field: string): string[] {
  const node = affinity?.nodeAffinity;
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
  return [
    ...Object.keys(nodeSelector ?? {})
      .sort()
      .filter((key) => key in deprecatedNodeLabels)
      .map((key) => `${field}.nodeSelector[${key}]: ${deprecatedNodeLabels[key]}`),
    ...(node?.[required]?.nodeSelectorTerms ?? []).flatMap((term, index) =>
      termWarnings(term, `${field}.affinity.nodeAffinity.${required}.nodeSelectorTerms[${index}]`),
    ),
    ...(node?.[preferred] ?? []).flatMap(({ preference }, index) =>
      termWarnings(preference, `${field}.affinity.nodeAffinity.${preferred}[${index}].preference`),
    ),
    ...(topologySpreadConstraints ?? []).flatMap(({ topologyKey, labelSelector }, index) => {
      const at = `${field}.topologySpreadConstraints[${index}]`;
      const message = deprecatedNodeLabels[topologyKey];
      return [
        ...(message === undefined ? [] : [`${at}.topologyKey: ${topologyKey} is ${message}`]),
        ...(labelSelector === undefined ? [`${at}.labelSelector: a null labelSelector results in matching no pod`] : []),
      ];
    }),
  ];
}

function termWarnings(term: NodeSelectorTerm | undefined, field: string): string[] {
  return (term?.matchExpressions ?? []).flatMap(({ key }, index) => {
    const message = deprecatedNodeLabels[key];
    return message === undefined ? [] : [`${field}.matchExpressions[${index}].key: ${key} is ${message}`];
  });
}

function aliasWarnings({ hostAliases }: PodSpec, field: string): string[] {
  return (hostAliases ?? []).flatMap(({ ip }, index, list) =>
    list.findIndex((other) => other.ip === ip) < index ? [`${field}.hostAliases[${index}].ip: duplicate ip ${JSON.stringify(ip)}`] : [],
  );
}

function pullSecretWarnings({ imagePullSecrets }: PodSpec, field: string): string[] {
  const names = (imagePullSecrets ?? []).map(({ name = '' }) => name);
  const at = (index: number): string => `${field}.imagePullSecrets[${index}].name`;
  return [
    ...names.flatMap((name, index) => (names.indexOf(name) < index ? [`${at(index)}: duplicate name ${JSON.stringify(name)}`] : [])),
    ...names.flatMap((name, index) => (name === '' ? [`${at(index)}: invalid empty name ""`] : [])),
  ];
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

function containerWarnings({ resources, env }: AnyContainer, field: string): string[] {
  return [
    ...fractionalAmounts(resources?.limits, `${field}.resources.limits`),
    ...fractionalAmounts(resources?.requests, `${field}.resources.requests`),
    ...envWarnings(env, `${field}.env`),
  ];
}

/** Less than one byte cannot be given. */
function fractionalAmounts(amounts: Readonly<Record<string, string>> | undefined, field: string): string[] {
  return ['memory', 'ephemeral-storage'].flatMap((name) => {
    const value = amounts?.[name];
    if (value === undefined || quantityMilliValue(value) % 1000 === 0) return [];
    return [`${field}[${name}]: fractional byte value ${JSON.stringify(value)} is invalid, must be an integer`];
  });
}

function envWarnings(env: AnyContainer['env'], field: string): string[] {
  const names = new Set<string>();
  return (env ?? []).flatMap(({ name, value = '', valueFrom }, index) => {
    const known = names.has(name);
    names.add(name);
    const reference = `$(${name})`;
    const builds = valueFrom === undefined && value !== reference && value.includes(reference); // A value may build on the one before.
    return known && !builds
      ? [`${field}[${index}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`]
      : [];
  });
}

/** Ports of all containers together: one address, protocol and number can be served once. */
function portWarnings(spec: PodSpec, field: string): string[] {
  const seen = new Map<string, { readonly at: string; readonly port: ContainerPort }[]>();
  return eachContainer(spec, field).flatMap(([{ ports }, path]) =>
    (ports ?? []).flatMap((port, index) => {
      const at = `${path}.ports[${index}]`;
      const id = `${port.containerPort}/${port.protocol}`;
      const others = seen.get(id) ?? [];
      seen.set(id, [...others, { at, port }]);
      return others.flatMap((other) => {
        const kind = overlap(port, other.port);
        return kind === undefined ? [] : [`${at}: ${kind} port definition with ${other.at}`];
      });
    }),
  );
}

function overlap(a: ContainerPort, b: ContainerPort): 'duplicate' | 'overlapping' | undefined {
  const [ip, otherIp] = [a.hostIP ?? '', b.hostIP ?? ''];
  const [hostPort, otherPort] = [a.hostPort ?? 0, b.hostPort ?? 0];
  if (ip === otherIp && hostPort === otherPort) return 'duplicate';
  if (hostPort === 0 || otherPort === 0) return 'overlapping';
  const anyAddress = ip === '' || otherIp === '';
  return anyAddress && hostPort === otherPort ? 'overlapping' : undefined;
}
