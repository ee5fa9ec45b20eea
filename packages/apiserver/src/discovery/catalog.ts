import { groupPriority, type Subresource } from '@orrery/api';
import type { GroupVersionKind } from '@orrery/apimachinery';
import type { ResourceDefinition } from '../definition.ts';

/** What discovery is derived from. */
export interface DiscoverySource {
  readonly definitions: readonly ResourceDefinition[];
  /** Subresources served besides those of the definitions; of resources that are not served they are left out. */
  readonly actions: readonly Subresource[];
}

export interface SubresourceEntry {
  readonly name: string;
  readonly kind: GroupVersionKind;
  readonly verbs: readonly string[];
}

export interface ResourceEntry {
  readonly definition: ResourceDefinition;
  /** Sorted. */
  readonly verbs: readonly string[];
  /** Sorted by name. */
  readonly subresources: readonly SubresourceEntry[];
}

export interface VersionEntry {
  readonly version: string;
  /** Sorted by plural name. */
  readonly resources: readonly ResourceEntry[];
}

export interface GroupEntry {
  /** Empty for the core group. */
  readonly group: string;
  /** Preferred first. Never empty. */
  readonly versions: readonly [VersionEntry, ...VersionEntry[]];
}

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const updateVerbs = ['get', 'patch', 'update'];
const scaleKind: GroupVersionKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Groups in discovery order with their versions and resources: every form of discovery is a rendering of it. */
export function catalogOf(source: DiscoverySource): readonly GroupEntry[] {
  const groups = new Map<string, Map<string, ResourceDefinition[]>>();
  for (const definition of source.definitions) {
    const versions = groups.get(definition.group) ?? new Map<string, ResourceDefinition[]>();
    groups.set(definition.group, versions.set(definition.version, [...(versions.get(definition.version) ?? []), definition]));
  }
  return [...groups]
    .map(([group, versions]) => groupEntry(group, versions, source.actions))
    .sort((a, b) => groupPriority(b.group) - groupPriority(a.group) || byText(a.group, b.group));
}

function groupEntry(group: string, versions: Map<string, ResourceDefinition[]>, actions: readonly Subresource[]): GroupEntry {
  const entries = [...versions]
    .map(([version, definitions]) => versionEntry(version, definitions, actions))
    .sort((a, b) => compareVersions(a.version, b.version));
  const [first, ...others] = entries;
  if (first === undefined) throw new Error(`group ${group} has no version`);
  return { group, versions: [first, ...others] };
}

function versionEntry(version: string, definitions: readonly ResourceDefinition[], actions: readonly Subresource[]): VersionEntry {
  const resources = definitions.map((definition) => resourceEntry(definition, actions));
  return { version, resources: resources.sort((a, b) => byText(a.definition.resource, b.definition.resource)) };
}

function resourceEntry(definition: ResourceDefinition, actions: readonly Subresource[]): ResourceEntry {
  const { group, version, kind, resource } = definition;
  const own: GroupVersionKind = { group, version, kind };
  const subresources: SubresourceEntry[] = actions
    .filter((action) => action.group === group && action.version === version && action.resource === resource)
    .map((action) => ({ name: action.subresource, kind: action.kind, verbs: action.verbs }));
  if (definition.status !== undefined) subresources.push({ name: 'status', kind: own, verbs: updateVerbs });
  if (definition.scale !== undefined) subresources.push({ name: 'scale', kind: scaleKind, verbs: updateVerbs });
  for (const [name, { verbs }] of Object.entries(definition.partials ?? {})) {
    subresources.push({ name, kind: own, verbs: verbs ?? updateVerbs });
  }
  subresources.sort((a, b) => byText(a.name, b.name));
  return { definition, verbs: [...(definition.verbs ?? (definition.answer === undefined ? allVerbs : ['create']))].sort(), subresources };
}

const stages = ['alpha', 'beta', ''];

/** Kubernetes' version order, newest stable first: v2, v1, v2beta1, v1beta2, v1alpha1, then other names by alphabet. */
export function compareVersions(a: string, b: string): number {
  const left = parseVersion(a);
  const right = parseVersion(b);
  if (left === undefined || right === undefined) return left === right ? byText(a, b) : left === undefined ? 1 : -1;
  return right.stage - left.stage || right.major - left.major || right.minor - left.minor;
}

function parseVersion(version: string): { readonly stage: number; readonly major: number; readonly minor: number } | undefined {
  const match = /^v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?$/.exec(version);
  if (match === null) return undefined;
  return { stage: stages.indexOf(match[2] ?? ''), major: Number(match[1]), minor: Number(match[3] ?? 0) };
}
