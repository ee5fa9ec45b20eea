import { newBadRequest, StatusError } from '../errors/status-error.ts';
import type { Json, JsonObject } from '../json.ts';
import { cloneJson, isJsonObject } from '../json.ts';
import type { OpenObject } from './json-value.ts';
import { equalJson, setField } from './json-value.ts';
import { boundedDepth, unprocessablePatch } from './patch-error.ts';

/** Source: maxJSONPatchOperations of the API server. */
const operationsMax = 10_000;
/** Characters that `copy` operations may add together: a chain of copies doubles the document each time. Source: JSONPatchMaxCopyBytes. */
const copiedMax = 3 * 1024 * 1024;

/**
 * The document that a JSON Patch (RFC 6902) makes of `value`, sharing what it does not change.
 * @throws StatusError BadRequest for something that is no patch, RequestEntityTooLarge above 10,000 operations, Invalid (422) where
 * an operation does not apply.
 */
export function applyJsonPatch(value: Json, patch: unknown): Json {
  if (!Array.isArray(patch)) throw newBadRequest('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  if (patch.length > operationsMax) {
    const allowed = `The allowed maximum operations in a JSON patch is ${operationsMax}, got ${patch.length}`;
    throw new StatusError('RequestEntityTooLarge', `Request entity too large: ${allowed}`);
  }
  return boundedDepth(() => {
    const document = new PatchedDocument(value);
    for (const operation of patch) document.apply(operation);
    return document.value;
  });
}

type Container = Json[] | OpenObject;

class PatchedDocument {
  value: Json;
  /** Containers that this patch made, and that nothing else refers to: they may be changed in place. */
  readonly #own = new Set<object>();
  #copied = 0;

  constructor(value: Json) {
    this.value = value;
  }

  apply(operation: unknown): void {
    if (!isJsonObject(operation)) throw newBadRequest('json: cannot unmarshal value into Go value of type jsonpatch.Operation');
    const path = pointer(operation, 'path');
    const op = operation['op'];
    if (op === 'add') this.#add(path, given(operation));
    else if (op === 'remove') this.#remove(path);
    else if (op === 'replace') this.#replace(path, given(operation));
    else if (op === 'move') this.#move(pointer(operation, 'from'), path);
    else if (op === 'copy') this.#add(path, this.#copy(pointer(operation, 'from')));
    else if (op === 'test') this.#test(path, operation['value'] ?? null);
    else throw unprocessablePatch(`Unexpected kind: ${JSON.stringify(op)}`);
  }

  #add(path: readonly string[], value: Json): void {
    const key = path.at(-1);
    if (key === undefined) {
      this.value = value;
      return;
    }
    const parent = this.#writableParent(path);
    if (Array.isArray(parent)) parent.splice(key === '-' ? parent.length : indexOf(key, parent.length), 0, value);
    else setField(parent, key, value);
  }

  #replace(path: readonly string[], value: Json): void {
    const key = path.at(-1);
    if (key === undefined) {
      this.value = value;
      return;
    }
    const parent = this.#writableParent(path);
    child(parent, key);
    if (Array.isArray(parent)) parent[indexOf(key, parent.length - 1)] = value;
    else setField(parent, key, value);
  }

  #remove(path: readonly string[]): Json {
    const key = path.at(-1);
    if (key === undefined) throw unprocessablePatch('Unable to remove the whole document');
    const parent = this.#writableParent(path);
    const removed = child(parent, key);
    if (Array.isArray(parent)) parent.splice(indexOf(key, parent.length - 1), 1);
    else delete parent[key];
    return removed;
  }

  #move(from: readonly string[], path: readonly string[]): void {
    const inside = from.length < path.length && from.every((step, index) => step === path[index]);
    if (inside) throw unprocessablePatch('Unable to move a value into itself');
    this.#add(path, this.#remove(from));
  }

  /** A copy that shares nothing: the original may be one that later operations change in place. */
  #copy(from: readonly string[]): Json {
    const source = this.#find(from);
    this.#copied += JSON.stringify(source).length;
    if (this.#copied > copiedMax) throw unprocessablePatch(`the accumulated size of copies exceeds ${copiedMax}`);
    return cloneJson(source) as Json;
  }

  #test(path: readonly string[], wanted: Json): void {
    let found: Json | undefined;
    try {
      found = this.#find(path);
    } catch (error) {
      if (wanted !== null) throw error; // Upstream takes an absent value for null.
    }
    if (!equalJson(found ?? null, wanted)) throw unprocessablePatch(`testing value /${path.join('/')} failed`);
  }

  #find(path: readonly string[]): Json {
    let value = this.value;
    for (const key of path) value = child(value, key);
    return value;
  }

  /** The container that holds the last step of `path`, after everything on the way to it was made the patch's own. */
  #writableParent(path: readonly string[]): Container {
    let parent = this.#writable(this.value);
    this.value = parent;
    for (const key of path.slice(0, -1)) {
      const next = this.#writable(child(parent, key));
      if (Array.isArray(parent)) parent[indexOf(key, parent.length - 1)] = next;
      else setField(parent, key, next);
      parent = next;
    }
    return parent;
  }

  #writable(value: Json): Container {
    if (typeof value !== 'object' || value === null) throw unprocessablePatch('a scalar has no fields');
    if (this.#own.has(value)) return value as Container;
    const copy: Container = Array.isArray(value) ? [...value] : { ...(value as JsonObject) };
    this.#own.add(copy);
    return copy;
  }
}

function child(parent: Json, key: string): Json {
  if (Array.isArray(parent)) return parent[indexOf(key, parent.length - 1)] as Json;
  const value = isJsonObject(parent) && Object.hasOwn(parent, key) ? parent[key] : undefined;
  if (value === undefined) throw unprocessablePatch(`doc is missing key: ${key}`);
  return value;
}

/** @param largest - The last index allowed. Negative indexes count from the end, as upstream's library has them. */
function indexOf(key: string, largest: number): number {
  const index = /^-?[0-9]{1,9}$/.test(key) ? Number(key) : Number.NaN;
  const resolved = index < 0 ? index + largest + 1 : index;
  if (!(resolved >= 0 && resolved <= largest)) throw unprocessablePatch(`Unable to access invalid index: ${key}`);
  return resolved;
}

function given(operation: JsonObject): Json {
  const value = operation['value'];
  if (value === undefined) throw unprocessablePatch('missing value');
  return value;
}

function pointer(operation: JsonObject, field: 'path' | 'from'): string[] {
  const text = operation[field];
  if (typeof text !== 'string') throw unprocessablePatch(`missing ${field}`);
  if (text === '') return [];
  if (!text.startsWith('/')) throw unprocessablePatch(`${field} must start with a slash: ${text}`);
  const steps = text.slice(1).split('/');
  if (steps.includes('__proto__')) throw unprocessablePatch(`${field} must not contain __proto__`);
  return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
