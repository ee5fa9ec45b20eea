import type { FactTable, GroupVersionKind } from '@orrery/apimachinery';
import type { ResourceEntry, SubresourceEntry, VersionEntry } from '../discovery/catalog.ts';
import { nameParameter, namespaceParameter, type Parameter, prettyParameter, queryParameters, restParameter } from './parameters.ts';

/** One method of one path, as both versions of OpenAPI describe it. */
export interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'patch' | 'head' | 'options';
  readonly id: string;
  readonly description: string;
  /** `x-kubernetes-action`. Discovery has none. */
  readonly action?: string;
  readonly kind?: GroupVersionKind;
  readonly parameters: readonly Parameter[];
  /** Type of the body; `optional` where none is fine. */
  readonly body?: { readonly type: string; readonly optional?: boolean };
  /** `patch`: the five forms of a patch. `stream`: watches too. `connect`: whatever the target speaks. */
  readonly media: 'object' | 'patch' | 'stream' | 'connect' | 'text';
  /** Status code → type of the answer; empty for text. */
  readonly answers: Readonly<Record<string, string>>;
}

export interface PathItem {
  readonly path: string;
  readonly tag: string;
  readonly parameters: readonly Parameter[];
  readonly operations: readonly Operation[];
}

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const statusType = `${meta}.Status`;
const patchType = `${meta}.Patch`;
const deleteBody = { type: `${meta}.DeleteOptions`, optional: true } as const;

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** `a Pod`, `an Event`, but `Endpoints`. */
function withArticle(kind: string): string {
  if (/[^s]s$/.test(kind)) return kind;
  return `${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

/** `rbac.authorization.k8s.io` → `rbacAuthorization`, as clients generated from the document name their classes. */
export function groupWord(group: string): string {
  if (group === '') return 'core';
  const labels = group.replace(/\.k8s\.io$/, '').split('.');
  return labels.map((label, i) => (i === 0 ? label : capital(label))).join('');
}

/** Finds the type of a kind that belongs to one group alone. */
export class KindIndex {
  readonly #types = new Map<string, string>();

  constructor(table: FactTable) {
    for (const [type, { gvk = [] }] of Object.entries(table)) {
      const [only] = gvk;
      if (gvk.length === 1 && only !== undefined) this.#types.set(only.join(' '), type);
    }
  }

  find({ group, version, kind }: GroupVersionKind): string | undefined {
    return this.#types.get(`${group} ${version} ${kind}`);
  }
}

/** Paths of one group and version. */
export function pathsOf(group: string, entry: VersionEntry, kinds: KindIndex): PathItem[] {
  return entry.resources.flatMap((resource) => new ResourcePaths(group, entry.version, resource, kinds).all());
}

class ResourcePaths {
  readonly #entry: ResourceEntry;
  readonly #kinds: KindIndex;
  readonly #base: string;
  readonly #tag: string;
  /** `CoreV1`. */
  readonly #word: string;
  /** `NamespacedPod`. */
  readonly #noun: string;
  readonly #scope: readonly Parameter[];

  constructor(group: string, version: string, entry: ResourceEntry, kinds: KindIndex) {
    const { namespaced, kind, resource } = entry.definition;
    this.#entry = entry;
    this.#kinds = kinds;
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    this.#base = `${root}${namespaced ? '/namespaces/{namespace}' : ''}/${resource}`;
    this.#tag = `${groupWord(group)}_${version}`;
    this.#word = `${capital(groupWord(group))}${capital(version)}`;
    this.#noun = `${namespaced ? 'Namespaced' : ''}${kind}`;
    this.#scope = namespaced ? [namespaceParameter] : [];
  }

  all(): PathItem[] {
    const { definition, subresources } = this.#entry;
    const item = [nameParameter(definition.kind), ...this.#scope, prettyParameter];
    const paths = [this.#path('', [...this.#scope, prettyParameter], this.#collection()), this.#path('/{name}', item, this.#item())];
    for (const subresource of subresources) paths.push(...this.#subresource(subresource));
    if (definition.namespaced) paths.push(this.#everywhere());
    return paths.filter(({ operations }) => operations.length > 0);
  }

  #path(suffix: string, parameters: readonly Parameter[], operations: readonly (Operation | undefined)[]): PathItem {
    const known = operations.filter((operation) => operation !== undefined);
    return { path: this.#base + suffix, tag: this.#tag, parameters, operations: known };
  }

  get #kind(): GroupVersionKind {
    const { group, version, kind } = this.#entry.definition;
    return { group, version, kind };
  }

  /** Undefined where the kind does not have the verb. */
  #op(verb: string, operation: Omit<Operation, 'kind'>): Operation | undefined {
    return this.#entry.verbs.includes(verb) ? { kind: this.#kind, ...operation } : undefined;
  }

  #list(id: string): Operation | undefined {
    const { kind, typeName } = this.#entry.definition;
    const description = `list or watch objects of kind ${kind}`;
    const answers = { 200: `${typeName}List` };
    return this.#op('list', { method: 'get', id, description, action: 'list', parameters: queryParameters.list, media: 'stream', answers });
  }

  #collection(): (Operation | undefined)[] {
    const { kind, typeName } = this.#entry.definition;
    return [
      this.#list(`list${this.#word}${this.#noun}`),
      this.#op('create', {
        method: 'post',
        id: `create${this.#word}${this.#noun}`,
        description: `create ${withArticle(kind)}`,
        action: 'post',
        parameters: queryParameters.post,
        body: { type: typeName },
        media: 'object',
        answers: { 200: typeName, 201: typeName, 202: typeName },
      }),
      this.#op('deletecollection', {
        method: 'delete',
        id: `delete${this.#word}Collection${this.#noun}`,
        description: `delete collection of ${kind}`,
        action: 'deletecollection',
        parameters: queryParameters.deletecollection,
        body: deleteBody,
        media: 'object',
        answers: { 200: statusType },
      }),
    ];
  }

  #item(): (Operation | undefined)[] {
    const { kind, typeName } = this.#entry.definition;
    const [read, replace, patch] = this.#updates(typeName, this.#kind, '', kind);
    return [
      this.#entry.verbs.includes('get') ? read : undefined,
      this.#entry.verbs.includes('update') ? replace : undefined,
      this.#entry.verbs.includes('patch') ? patch : undefined,
      this.#op('delete', {
        method: 'delete',
        id: `delete${this.#word}${this.#noun}`,
        description: `delete ${withArticle(kind)}`,
        action: 'delete',
        parameters: queryParameters.delete,
        body: deleteBody,
        media: 'object',
        answers: { 200: statusType, 202: statusType },
      }),
    ];
  }

  /** Read, replace and patch of the object or of a part of it. @param part - `Status`, or empty. */
  #updates(type: string, kind: GroupVersionKind, part: string, noun: string): readonly [Operation, Operation, Operation] {
    const what = part === '' ? 'the specified' : `${part.toLowerCase()} of the specified`;
    const both = { 200: type, 201: type };
    const id = (verb: string): string => `${verb}${this.#word}${this.#noun}${part}`;
    const { none, put, patch } = queryParameters;
    return [
      {
        method: 'get',
        id: id('read'),
        description: `read ${what} ${noun}`,
        action: 'get',
        kind,
        parameters: none,
        media: 'object',
        answers: { 200: type },
      },
      {
        method: 'put',
        id: id('replace'),
        description: `replace ${what} ${noun}`,
        action: 'put',
        kind,
        parameters: put,
        body: { type },
        media: 'object',
        answers: both,
      },
      {
        method: 'patch',
        id: id('patch'),
        description: `partially update ${what} ${noun}`,
        action: 'patch',
        kind,
        parameters: patch,
        body: { type: patchType },
        media: 'patch',
        answers: both,
      },
    ];
  }

  #subresource(entry: SubresourceEntry): PathItem[] {
    const suffix = `/{name}/${entry.name}`;
    const parameters = [nameParameter(entry.kind.kind), ...this.#scope, prettyParameter];
    if (entry.kind.kind.endsWith('Options')) return this.#connect(entry, suffix, parameters);
    const { kind: own, typeName } = this.#entry.definition;
    const type = entry.kind.kind === own ? typeName : this.#kinds.find(entry.kind);
    if (type === undefined) return [];
    const part = capital(entry.name);
    if (entry.verbs.includes('create')) return [this.#path(suffix, parameters, [this.#action(entry, type)])];
    const [read, replace, patch] = this.#updates(type, entry.kind, part, own);
    if (entry.verbs.includes('get') && entry.verbs.length === 1) {
      return [this.#path(suffix, parameters, [{ ...read, media: 'text', answers: { 200: '' } }])];
    }
    const known = [read, replace, patch].filter((_, i) => entry.verbs.includes(['get', 'update', 'patch'][i] ?? ''));
    return [this.#path(suffix, parameters, known)];
  }

  #action({ name, kind }: SubresourceEntry, type: string): Operation {
    return {
      method: 'post',
      id: `create${this.#word}${this.#noun}${capital(name)}`,
      description: `create ${name} of ${withArticle(this.#entry.definition.kind)}`,
      action: 'post',
      kind,
      parameters: queryParameters.post,
      body: { type },
      media: 'object',
      answers: { 200: type, 201: type, 202: type },
    };
  }

  #connect(entry: SubresourceEntry, suffix: string, parameters: readonly Parameter[]): PathItem[] {
    const methods = entry.verbs.includes('update') ? proxyMethods : streamMethods;
    const operations = (tail: string): Operation[] =>
      methods.map((method) => ({
        method,
        id: `connect${this.#word}${capital(method)}${this.#noun}${capital(entry.name)}${tail}`,
        description: `connect ${method.toUpperCase()} requests to ${entry.name} of ${this.#entry.definition.kind}`,
        action: 'connect',
        kind: entry.kind,
        parameters: queryParameters.none,
        media: 'connect',
        answers: { 200: '' },
      }));
    const paths = [this.#path(suffix, parameters, operations(''))];
    if (methods === proxyMethods) paths.push(this.#path(`${suffix}/{path}`, [...parameters, restParameter], operations('WithPath')));
    return paths;
  }

  #everywhere(): PathItem {
    const { kind, resource } = this.#entry.definition;
    const operation = this.#list(`list${this.#word}${kind}ForAllNamespaces`);
    const path = this.#base.replace(`/namespaces/{namespace}/${resource}`, `/${resource}`);
    return { path, tag: this.#tag, parameters: [prettyParameter], operations: operation === undefined ? [] : [operation] };
  }
}

const proxyMethods = ['delete', 'get', 'head', 'options', 'patch', 'post', 'put'] as const;
const streamMethods = ['get', 'post'] as const;
