import { newBadRequest } from '../errors/status-error.ts';

/** Upstream stops collecting complaints there. */
export const strictCountMax = 100;

/** Where a decoding run stands and what it has to report. One per call; decoders are shared and keep nothing. */
export class DecodeContext {
  /** Path steps: field names, map keys and list indexes. Valid up to `depth`. */
  readonly steps: (string | number)[] = [];
  /** Go name of the struct whose field the step is; empty for map keys and indexes. */
  readonly owners: string[] = [];
  depth = 0;
  /** Complaints of strict decoding, in document order, each once. */
  readonly strict: string[] = [];
  /** `duplicate field "…"` texts of the parser; undefined is none, which is nearly always. */
  readonly duplicates: ReadonlySet<string> | undefined;
  /** First soft error: Go goes on decoding and reports it at the end. */
  #saved: string | undefined;
  readonly #headline: string;

  constructor(headline: string, duplicates: readonly string[] | undefined) {
    this.#headline = headline;
    this.duplicates = duplicates === undefined || duplicates.length === 0 ? undefined : new Set(duplicates);
  }

  push(step: string | number, owner: string): void {
    this.steps[this.depth] = step;
    this.owners[this.depth] = owner;
    this.depth++;
  }

  pop(): void {
    this.depth--;
  }

  unknownField(key: string): void {
    if (this.strict.length >= strictCountMax) return; // Spares the path.
    this.complain(`unknown field ${quote(this.path(key))}`);
  }

  checkDuplicate(key: string): void {
    if (this.duplicates === undefined) return;
    const text = duplicateField(this.path(key));
    if (this.duplicates.has(text)) this.complain(text);
  }

  complain(text: string): void {
    if (this.strict.length < strictCountMax && !this.strict.includes(text)) this.strict.push(text);
  }

  /** `spec.containers[0].name`: the path so far and one more key. */
  path(key: string): string {
    let out = '';
    for (let i = 0; i < this.depth; i++) {
      const step = this.steps[i] ?? '';
      if (typeof step === 'number') out += `[${step}]`;
      else out += out === '' ? step : `.${step}`;
    }
    return out === '' ? key : `${out}.${key}`;
  }

  /** Remembers the first error; decoding goes on, since a hard error later wins. */
  save(text: string): undefined {
    this.#saved ??= text;
  }

  /** `json: cannot unmarshal <found> into …`, naming the field that is being decoded. */
  mismatch(found: string, goType: string): undefined {
    this.save(this.mismatchText(found, goType));
  }

  mismatchText(found: string, goType: string): string {
    let owner = '';
    let field = '';
    for (let i = 0; i < this.depth; i++) {
      const struct = this.owners[i] ?? '';
      if (struct === '') continue;
      owner = struct;
      field += field === '' ? this.steps[i] : `.${this.steps[i]}`;
    }
    const target = owner === '' ? 'Go value' : `Go struct field ${owner}.${field}`;
    return `json: cannot unmarshal ${found} into ${target} of type ${goType}`;
  }

  /** Ends the decoding with 400. */
  fail(text: string): never {
    throw newBadRequest(`${this.#headline}${text}`);
  }

  /** Ends with 400 if anything was saved. */
  finish(): void {
    if (this.#saved !== undefined) this.fail(this.#saved);
  }
}

/** The complaint about a key that stands twice in one JSON object. @param path - As `spec.containers[0].name`. */
export function duplicateField(path: string): string {
  return `duplicate field ${quote(path)}`;
}

/** Go's `strconv.Quote` for what keys may hold. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\x7f');
}
