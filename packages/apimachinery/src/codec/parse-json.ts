import { newBadRequest } from '../errors/status-error.ts';
import { type Json, type JsonObject, setOwn } from '../json.ts';
import { duplicateField, strictCountMax } from '../schema/decode-context.ts';
import { jsonSyntaxError } from './json-syntax.ts';

export interface ParseJsonOptions {
  /** Look for keys that stand twice in one object. @default false */
  readonly detectDuplicates?: boolean;
  /** Turns Go's syntax error into the request's message. @default "couldn't get version/kind; json parse error: …" */
  readonly describe?: (problem: string) => string;
}

export interface ParsedJson {
  /** Nobody else holds it. A key twice in an object: the last value counts, and stands where the last one stood. */
  readonly value: Json;
  /** `duplicate field "spec.a"`, in document order. */
  readonly duplicates: string[];
}

const depthMax = 1000; // Go allows 10,000; recursion over the value must fit a JavaScript stack. Real objects stay under 60.

// As numbers: the scan below runs over every byte of every request.
const quote = 0x22;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Parses a JSON body. Invalid UTF-8 becomes U+FFFD, as in Go; `__proto__` and `constructor` are plain keys.
 *
 * @throws StatusError BadRequest - No JSON, or nested too deeply.
 */
export function parseJson(bytes: Uint8Array, options: ParseJsonOptions = {}): ParsedJson {
  const describe = options.describe ?? ((problem: string) => `couldn't get version/kind; json parse error: ${problem}`);
  const { depth, colons } = measureNesting(bytes);
  if (depth > depthMax) throw newBadRequest(describe('exceeded max depth'));
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    throw newBadRequest(describe(jsonSyntaxError(text)));
  }
  // As many keys as colons outside strings: no key was lost.
  if (options.detectDuplicates !== true || countKeys(value) === colons) return { value, duplicates: [] };
  return new DuplicateParser(text).parse();
}

/** Deepest nesting and number of colons outside strings, in one pass over the bytes. */
export function measureNesting(bytes: Uint8Array): { readonly depth: number; readonly colons: number } {
  const { length } = bytes;
  let depth = 0;
  let deepest = 0;
  let colons = 0;
  for (let i = 0; i < length; i++) {
    const byte = bytes[i];
    if (byte === quote) i = endOfString(bytes, i + 1);
    else if (byte === colon) colons++;
    else if (byte === openBrace || byte === openBracket) {
      if (++depth > deepest) deepest = depth;
    } else if (byte === closeBrace || byte === closeBracket) depth--;
  }
  return { depth: deepest, colons };
}

/** Index of the closing quote, or the end. */
function endOfString(bytes: Uint8Array, start: number): number {
  const { length } = bytes;
  let i = start;
  for (; i < length; i++) {
    const byte = bytes[i];
    if (byte === quote) return i;
    if (byte === backslash) i++;
  }
  return i;
}

function countKeys(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countKeys(item);
    return count;
  }
  const object = value as JsonObject;
  for (const key of Object.keys(object)) {
    const child = object[key];
    count++;
    if (typeof child === 'object') count += countKeys(child);
  }
  return count;
}

/** Slow parser of a text that is known to be valid JSON, which sees every key. */
class DuplicateParser {
  readonly #text: string;
  #at = 0;
  /** Each once, and no more than strict decoding reports. */
  readonly #duplicates = new Set<string>();

  constructor(text: string) {
    this.#text = text;
  }

  parse(): ParsedJson {
    const value = this.#value('');
    return { value, duplicates: [...this.#duplicates] };
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #space(): string {
    this.#skip(/[ \t\r\n]*/y);
    return this.#text[this.#at] ?? '';
  }

  #value(path: string): Json {
    const char = this.#space();
    if (char === '{') return this.#object(path);
    if (char === '[') return this.#array(path);
    if (char === '"') return this.#string();
    return JSON.parse(this.#skip(/[^\s,:\]}]+/y)) as Json;
  }

  #string(): string {
    return JSON.parse(this.#skip(/"[^"\\]*(?:\\.[^"\\]*)*"/y)) as string;
  }

  #object(path: string): JsonObject {
    const out: Record<string, Json> = {};
    this.#at++;
    while (this.#space() !== '}') {
      if (this.#text[this.#at] === ',') {
        this.#at++;
        this.#space();
      }
      const key = this.#string();
      const keyPath = path === '' ? key : `${path}.${key}`;
      if (Object.hasOwn(out, key)) {
        if (this.#duplicates.size < strictCountMax) this.#duplicates.add(duplicateField(keyPath));
        delete out[key]; // So that the key moves to where its last value stands.
      }
      this.#space();
      this.#at++; // The colon.
      setOwn(out, key, this.#value(keyPath));
    }
    this.#at++;
    return out;
  }

  #array(path: string): Json[] {
    const out: Json[] = [];
    this.#at++;
    while (this.#space() !== ']') {
      if (this.#text[this.#at] === ',') this.#at++;
      out.push(this.#value(`${path}[${out.length}]`));
    }
    this.#at++;
    return out;
  }
}
