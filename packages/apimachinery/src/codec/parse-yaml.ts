import type * as Yaml from 'yaml';
import { newBadRequest } from '../errors/status-error.ts';
import type { Json } from '../json.ts';
import { measureNesting, type ParsedJson, parseJson } from './parse-json.ts';
import { YamlConverter, YamlProblem } from './yaml-convert.ts';

export interface ParseYamlOptions {
  /** Look for keys that stand twice in one mapping. @default false */
  readonly detectDuplicates?: boolean;
  /** Turns `yaml: line 3: …` into the request's message. @default as it is */
  readonly describe?: (problem: string) => string;
}

const depthMax = 1000; // As for JSON.

/**
 * Parses a YAML body into what kubectl's own YAML library makes of it. JSON is YAML: it takes the fast way. Loads the parser
 * on first use.
 *
 * @returns As `parseJson`, with duplicates named by line: `line 3: key "a" already set in map`.
 * @throws StatusError BadRequest - No YAML, several documents, keys that are no strings or scalars, or aliases that blow up.
 */
export async function parseYaml(bytes: Uint8Array, options: ParseYamlOptions = {}): Promise<ParsedJson> {
  const fast = tryJson(bytes);
  if (fast !== undefined) return fast;
  const describe = options.describe ?? ((problem: string) => problem);
  if (measureNesting(bytes).depth > depthMax) throw newBadRequest(describe('yaml: exceeded max depth'));
  const yaml = await import('yaml');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  try {
    return convert(yaml, text, options.detectDuplicates ?? false);
  } catch (err) {
    if (err instanceof YamlProblem) throw newBadRequest(describe(`yaml: ${err.message}`));
    if (err instanceof RangeError) throw newBadRequest(describe('yaml: exceeded max depth'));
    throw err;
  }
}

/** Bodies that begin like JSON, as those of kubectl apply, if they are JSON without duplicate keys. */
function tryJson(bytes: Uint8Array): ParsedJson | undefined {
  let start = 0;
  while (start < bytes.length && (bytes[start] ?? 0) <= 0x20) start++;
  if (bytes[start] !== 0x7b) return undefined;
  try {
    const parsed = parseJson(bytes, { detectDuplicates: true });
    return parsed.duplicates.length === 0 ? parsed : undefined;
  } catch {
    return undefined; // The YAML parser has the last word.
  }
}

function convert(yaml: typeof Yaml, text: string, detectDuplicates: boolean): ParsedJson {
  const lines = new yaml.LineCounter();
  const documents = yaml.parseAllDocuments(text, {
    schema: 'failsafe', // Plain scalars stay text: they are resolved by kubectl's rules, not by this library's.
    lineCounter: lines,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    strict: false,
  });
  if (!Array.isArray(documents) || documents.length === 0) return { value: null, duplicates: [] };
  const [first, ...others] = documents as Yaml.Document.Parsed[];
  if (first === undefined) return { value: null, duplicates: [] };
  for (const document of [first, ...others]) {
    const [error] = document.errors;
    if (error?.message.includes('call stack') === true) throw new YamlProblem('exceeded max depth'); // The parser recurses.
    if (error !== undefined) throw new YamlProblem(`line ${lines.linePos(error.pos[0]).line}: ${lowerFirst(error.message)}`);
  }
  const second = others.find(({ contents }) => !isEmpty(contents));
  if (second !== undefined) {
    throw new YamlProblem(`line ${lines.linePos(second.range[0]).line}: a request body must hold one document`);
  }
  const converter = new YamlConverter(yaml, lines);
  const value: Json = converter.document(first.contents);
  return { value, duplicates: detectDuplicates ? converter.duplicates : [] };
}

function isEmpty(node: Yaml.ParsedNode | null): boolean {
  return node === null || ('source' in node && node.source === '' && !('items' in node));
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
