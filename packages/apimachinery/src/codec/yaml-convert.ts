import type * as Yaml from 'yaml';
import { type Json, setOwn } from '../json.ts';
import { strictCountMax } from '../schema/decode-context.ts';
import { resolvePlainKey, resolvePlainScalar } from './yaml-scalar.ts';

/** A YAML text that means nothing, or nothing that JSON can hold. */
export class YamlProblem extends Error {}

const aliasFreeMax = 100; // Below so many nodes any share of aliases is fine. Source: go-yaml's decoder.
const aliasShareSmall = 0.99;
const aliasShareLarge = 0.1;
const nodesSmall = 400_000;
const nodesLarge = 4_000_000;

type Node = Yaml.ParsedNode | Yaml.Node | null | undefined;

/** Turns one parsed document into plain JSON, with anchors, merge keys and a bound on what aliases may multiply. */
export class YamlConverter {
  readonly duplicates: string[] = [];
  readonly #yaml: typeof Yaml;
  readonly #lines: Yaml.LineCounter;
  /** Anchors in document order: a later one of the same name hides the earlier. */
  readonly #anchors = new Map<string, Node>();
  /** Nodes whose alias is being followed, to see one that holds itself. */
  readonly #open = new Set<Node>();
  #nodes = 0;
  #nodesByAlias = 0;

  constructor(yaml: typeof Yaml, lines: Yaml.LineCounter) {
    this.#yaml = yaml;
    this.#lines = lines;
  }

  document(node: Node): Json {
    return this.#convert(node);
  }

  #line(node: Node): number {
    return this.#lines.linePos(node?.range?.[0] ?? 0).line;
  }

  #count(): void {
    this.#nodes++;
    if (this.#open.size === 0) return;
    this.#nodesByAlias++;
    if (this.#nodesByAlias > aliasFreeMax && this.#nodesByAlias / this.#nodes > allowedShare(this.#nodes)) {
      throw new YamlProblem('document contains excessive aliasing');
    }
  }

  #convert(node: Node): Json {
    this.#count();
    if (node === null || node === undefined) return null;
    const { isAlias, isMap, isScalar, isSeq } = this.#yaml;
    if (isAlias(node)) return this.#alias(node);
    if ('anchor' in node && typeof node.anchor === 'string') this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node);
    if (isSeq(node)) return node.items.map((item) => this.#convert(item as Node));
    if (isMap(node)) return this.#map(node);
    throw new YamlProblem(`line ${this.#line(node)}: unsupported node`);
  }

  #follow<T>(node: Yaml.Alias, use: (target: Node) => T): T {
    const target = this.#anchors.get(node.source);
    if (target === undefined) throw new YamlProblem(`unknown anchor '${node.source}' referenced`);
    if (this.#open.has(target)) throw new YamlProblem(`anchor '${node.source}' value contains itself`);
    this.#open.add(target);
    const result = use(target);
    this.#open.delete(target);
    return result;
  }

  #alias(node: Yaml.Alias): Json {
    return this.#follow(node, (target) => this.#convert(target));
  }

  #scalar(node: Yaml.Scalar): Json {
    const text = node.source ?? '';
    if (node.tag === `${tagPrefix}binary`) return Buffer.from(text, 'base64').toString('utf8');
    if (!isResolved(node)) return text;
    const value = resolvePlainScalar(text);
    if (value === undefined) throw new YamlProblem(`line ${this.#line(node)}: unsupported value: ${text}`);
    return value;
  }

  #map(node: Yaml.YAMLMap): Json {
    const out: Record<string, Json> = {};
    const merges: Node[] = [];
    for (const pair of node.items) {
      const key = pair.key as Node;
      if (this.#isMerge(key)) {
        merges.push(pair.value as Node);
        continue;
      }
      const name = this.#key(key);
      if (Object.hasOwn(out, name)) {
        if (this.duplicates.length < strictCountMax)
          this.duplicates.push(`line ${this.#line(key)}: key ${JSON.stringify(name)} already set in map`);
        delete out[name];
      }
      setOwn(out, name, this.#convert(pair.value as Node));
    }
    for (const merge of merges) this.#merge(out, merge);
    return sortedByKey(out);
  }

  #isMerge(key: Node): boolean {
    return this.#yaml.isScalar(key) && key.source === '<<' && key.type === 'PLAIN';
  }

  #key(node: Node): string {
    this.#count();
    if (this.#yaml.isAlias(node)) return this.#follow(node, (target) => this.#key(target));
    if (!this.#yaml.isScalar(node)) throw new YamlProblem(`line ${this.#line(node)}: invalid map key`);
    if (typeof node.anchor === 'string') this.#anchors.set(node.anchor, node);
    const text = node.source ?? '';
    const key = isResolved(node) ? resolvePlainKey(text) : text;
    if (key === undefined) throw new YamlProblem(`line ${this.#line(node)}: unsupported map key: ${text === '' ? 'null' : text}`);
    return key;
  }

  /** `<<`: keys of the map, or of each map of a list, that are not there yet. */
  #merge(out: Record<string, Json>, node: Node): void {
    const value = this.#convert(node);
    for (const source of Array.isArray(value) ? value : [value]) {
      if (typeof source !== 'object' || source === null || Array.isArray(source)) {
        throw new YamlProblem('map merge requires map or sequence of maps as the value');
      }
      for (const [key, child] of Object.entries(source as Record<string, Json>)) {
        if (!Object.hasOwn(out, key)) setOwn(out, key, child);
      }
    }
  }
}

/** On its way to JSON upstream's YAML loses the order of its keys: complaints about them, and fields that are kept as sent, come sorted. */
function sortedByKey(object: Readonly<Record<string, Json>>): Record<string, Json> {
  const sorted: Record<string, Json> = {};
  for (const key of Object.keys(object).sort()) setOwn(sorted, key, object[key] ?? null);
  return sorted;
}

const tagPrefix = 'tag:yaml.org,2002:';
const resolvedTags = new Set(['int', 'float', 'bool', 'null'].map((name) => tagPrefix + name));

/** Plain scalars are resolved; quoted ones only under a tag such as `!!int`; everything else is text. */
function isResolved(node: Yaml.Scalar): boolean {
  return node.tag === undefined ? node.type === 'PLAIN' : resolvedTags.has(node.tag);
}

function allowedShare(nodes: number): number {
  if (nodes <= nodesSmall) return aliasShareSmall;
  if (nodes >= nodesLarge) return aliasShareLarge;
  return aliasShareSmall - (aliasShareSmall - aliasShareLarge) * ((nodes - nodesSmall) / (nodesLarge - nodesSmall));
}
