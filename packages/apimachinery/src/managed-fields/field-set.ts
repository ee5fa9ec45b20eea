/**
 * A set of paths into an object, in the very form in which FieldsV1 writes it: `{"f:spec":{"f:replicas":{}}}`. A node is a member
 * where it is empty or holds `.`; the root is never one. Sets are values: operations share what they do not change.
 * Elements: `f:` a field, `k:` a list element by its keys, `v:` one by its value, `i:` one by its index.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

/** The node of a path that is in the set, with nothing below it. */
export const leaf: FieldSet = Object.freeze({});

/** The set without members. Shares its value with {@link leaf}: where it stands tells them apart. */
export const emptySet: FieldSet = leaf;

const self = '.';

export const isEmptySet = (set: FieldSet): boolean => !hasElements(set);

/** Whether the path to `node` is in the set. */
export const isMember = (node: FieldSet): boolean => Object.hasOwn(node, self) || !hasElements(node);

function hasElements(node: FieldSet): boolean {
  for (const _ in node) return true;
  return false;
}

/** A node of these children, ordered; undefined where it would say nothing. @param member - Whether the path to it is in the set. */
export function nodeOf(children: readonly (readonly [string, FieldSet])[], member: boolean): FieldSet | undefined {
  if (children.length === 0) return member ? leaf : undefined;
  const node: Record<string, FieldSet> = {};
  if (member) node[self] = leaf;
  for (const [element, child] of children) node[element] = child;
  return node;
}

/** Sorts children as FieldsV1 writes them. */
export function sorted(children: [string, FieldSet][]): [string, FieldSet][] {
  return children.length < 2 ? children : children.sort(([a], [b]) => compareElements(a, b));
}

const kindOrder = 'fkvi';

/** Canonical order: fields by name, then keys, values and indexes by their values. Source: PathElement.Compare. */
export function compareElements(left: string, right: string): number {
  const kind = left.charCodeAt(0) === right.charCodeAt(0) ? 0 : kindOrder.indexOf(left.charAt(0)) - kindOrder.indexOf(right.charAt(0));
  if (kind !== 0) return kind;
  if (firstIsNumber(left) && firstIsNumber(right)) {
    const values = compareValues(JSON.parse(left.slice(2)), JSON.parse(right.slice(2)));
    if (values !== 0) return values;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Whether an element's value, or that of its first key, is a number: text order would be wrong. */
function firstIsNumber(element: string): boolean {
  const kind = element.charAt(0);
  if (kind === 'f') return false;
  const code = element.charCodeAt(kind === 'k' ? element.indexOf('":') + 2 : 2);
  return code === 45 || (code >= 48 && code <= 57); // '-', '0' to '9'
}

function compareValues(left: unknown, right: unknown): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left === 'object' && typeof right === 'object' && left !== null && right !== null) {
    const a = Object.entries(left);
    const b = Object.entries(right);
    for (const [index, [name, value]] of a.entries()) {
      const other = b[index];
      if (other === undefined) return 1;
      if (name !== other[0]) return name < other[0] ? -1 : 1;
      const order = compareValues(value, other[1]);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  }
  const a = JSON.stringify(left);
  const b = JSON.stringify(right);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Children of a node, without its own membership. */
export function childrenOf(node: FieldSet): [string, FieldSet][] {
  const children: [string, FieldSet][] = [];
  for (const element of Object.keys(node)) {
    const child = node[element];
    if (element !== self && child !== undefined) children.push([element, child]);
  }
  return children;
}

/** `node` itself where it already is what these children and this membership make. */
function rebuilt(node: FieldSet, children: readonly (readonly [string, FieldSet])[], member: boolean): FieldSet | undefined {
  const count = Object.keys(node).length - (Object.hasOwn(node, self) ? 1 : 0);
  const same = children.length === count && children.every(([element, child]) => node[element] === child);
  return same && (member ? isMember(node) : count > 0 && !Object.hasOwn(node, self)) ? node : nodeOf(children, member);
}

/** Paths in either set. */
export function unionSets(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right || isEmptySet(right)) return left;
  return isEmptySet(left) ? right : (rebuilt(left, unionChildren(left, right), false) ?? emptySet);
}

function unionNodes(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right) return left;
  return rebuilt(left, unionChildren(left, right), isMember(left) || isMember(right)) ?? leaf;
}

function unionChildren(left: FieldSet, right: FieldSet): [string, FieldSet][] {
  const children = childrenOf(left).map(([element, mine]): [string, FieldSet] => {
    const other = right[element];
    return [element, other === undefined ? mine : unionNodes(mine, other)];
  });
  const added = childrenOf(right).filter(([element]) => !Object.hasOwn(left, element));
  return added.length === 0 ? children : sorted([...children, ...added]);
}

/** Paths of `left` that are not in `right`. Paths below a path of `right` stay. */
export const subtractSet = (left: FieldSet, right: FieldSet): FieldSet => subtractRoot(left, right, false);

/** Paths of `left` that are neither in `right` nor below a path of it. */
export const subtractTrees = (left: FieldSet, right: FieldSet): FieldSet => subtractRoot(left, right, true);

function subtractRoot(left: FieldSet, right: FieldSet, deep: boolean): FieldSet {
  return isEmptySet(right) ? left : (rebuilt(left, subtractChildren(left, right, deep), false) ?? emptySet);
}

function subtractChildren(left: FieldSet, right: FieldSet, deep: boolean): [string, FieldSet][] {
  const children: [string, FieldSet][] = [];
  for (const [element, mine] of childrenOf(left)) {
    const other = right[element];
    const rest = other === undefined ? mine : subtractNode(mine, other, deep);
    if (rest !== undefined) children.push([element, rest]);
  }
  return children;
}

function subtractNode(left: FieldSet, right: FieldSet, deep: boolean): FieldSet | undefined {
  const gone = isMember(right);
  if (gone && deep) return undefined;
  return rebuilt(left, subtractChildren(left, right, deep), isMember(left) && !gone);
}

/** Paths in both sets. */
export const intersectSets = (left: FieldSet, right: FieldSet): FieldSet =>
  rebuilt(left, intersectChildren(left, right), false) ?? emptySet;

function intersectChildren(left: FieldSet, right: FieldSet): [string, FieldSet][] {
  const children: [string, FieldSet][] = [];
  for (const [element, mine] of childrenOf(left)) {
    const other = right[element];
    if (other === undefined) continue;
    const shared = rebuilt(mine, intersectChildren(mine, other), isMember(mine) && isMember(other));
    if (shared !== undefined) children.push([element, shared]);
  }
  return children;
}

/** Whether some path is in both sets. */
export function intersects(left: FieldSet, right: FieldSet): boolean {
  for (const element of Object.keys(right)) {
    const other = right[element];
    const mine = left[element];
    if (element === self || mine === undefined || other === undefined) continue;
    if ((isMember(mine) && isMember(other)) || intersects(mine, other)) return true;
  }
  return false;
}

/** Whether both hold the same paths, in whatever order. */
export function equalSets(left: FieldSet, right: FieldSet): boolean {
  if (left === right) return true;
  const elements = Object.keys(left);
  if (elements.length !== Object.keys(right).length) return false;
  return elements.every((element) => {
    const mine = left[element];
    const other = right[element];
    return mine !== undefined && other !== undefined && equalSets(mine, other);
  });
}

/** Whether the path of these elements is in the set. */
export function hasPath(set: FieldSet, path: readonly string[]): boolean {
  let node: FieldSet | undefined = set;
  for (const element of path) node = node?.[element];
  return node !== undefined && path.length > 0 && isMember(node);
}

/** Every path of the set, in order. */
export function* pathsOf(set: FieldSet, prefix: readonly string[] = []): Generator<readonly string[]> {
  for (const [element, child] of childrenOf(set)) {
    const path = [...prefix, element];
    if (isMember(child)) yield path;
    yield* pathsOf(child, path);
  }
}

/** The set of these paths of field names: `fieldSetOfPaths([['status'], ['metadata', 'labels']])`. */
export function fieldSetOfPaths(paths: readonly (readonly string[])[]): FieldSet {
  let set = emptySet;
  for (const path of paths) {
    let node = leaf;
    for (const name of [...path].reverse()) node = { [`f:${name}`]: node };
    set = unionSets(set, node);
  }
  return set;
}
