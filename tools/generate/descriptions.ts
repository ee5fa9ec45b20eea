import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson, root } from './source.ts';
import { writeTable } from './tables.ts';
import type { FactTable } from './types.ts';

/** Texts repeat (`apiVersion`, `kind`): each stands once. */
interface Descriptions {
  readonly texts: string[];
  /** Type name → field → index of its text; the type's own text is under the empty name. */
  readonly types: Record<string, Record<string, number>>;
}

interface Source {
  readonly folder: string;
  /** Lines as they stand. */
  readonly recursive: boolean;
  /** Where an interface or class with the type's fields begins. */
  readonly opening: RegExp;
  /** Undoes the source's escapes. */
  clean(text: string): string;
}

const newest: Source = {
  folder: 'node_modules/kubernetes-models',
  recursive: true,
  opening: /^export interface I([A-Za-z0-9]+)(?: extends .*)? \{$/,
  clean: (text) => text.replace(/\\([*/])/g, '$1'),
};
const meta: Source = { ...newest, folder: 'node_modules/@kubernetes-models/apimachinery' };
const clientNode: Source = {
  folder: 'node_modules/@kubernetes/client-node/dist/gen/models',
  recursive: false,
  opening: /^export declare class ([A-Za-z0-9]+) \{$/,
  clean: (text) => text.replace(/\\(['"\\])/g, '$1'),
};

/** `io.k8s.api.core.v1.Pod` → `IoK8sApiCoreV1Pod`. */
const joined = (type: string): string => type.split(/[.-]/).map(capital).join('');
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Descriptions of one declaration file: of the type, and of the fields at its top level. */
function parseDeclaration(text: string, { opening, clean }: Source): Record<string, string> | undefined {
  const out: Record<string, string> = {};
  let comment: string[] | undefined;
  let last = '';
  let inside = false;
  for (const line of text.split('\n')) {
    const indent = inside ? '    ' : '';
    if (comment !== undefined) {
      if (line.trim() === '*/') {
        last = clean(comment.join('\n')).replace(/\s*\n@deprecated.*$/s, '');
        comment = undefined;
      } else comment.push(line.trim().replace(/^\* ?/, ''));
    } else if (line === `${indent}/**`) comment = [];
    else if (!inside && /^export type I\w+ = /.test(line)) return last === '' ? undefined : { '': last };
    else if (!inside && opening.test(line)) {
      inside = true;
      if (last !== '') out[''] = last;
      last = '';
    } else if (inside && line === '}') return out;
    else if (inside) {
      const field = /^ {4}["']([^"']+)["']\??: /.exec(line)?.[1];
      if (field !== undefined && last !== '') out[field] = last;
      if (field !== undefined) last = '';
    }
  }
  return inside ? out : undefined;
}

/** All declaration files of a source by what names them: the alias at their end, or the file's name. */
async function readSource(source: Source): Promise<Map<string, Record<string, string>>> {
  const folder = join(root, source.folder);
  const names = (await readdir(folder, { recursive: source.recursive })).filter(
    (name) => name.endsWith('.d.ts') && !name.includes('_schemas'),
  );
  const out = new Map<string, Record<string, string>>();
  await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8');
      const parsed = parseDeclaration(text, source);
      const alias = /export type \{ I\w+ as I(IoK8s\w+)/.exec(text)?.[1] ?? name.slice(0, -'.d.ts'.length);
      if (parsed !== undefined) out.set(alias, parsed);
    }),
  );
  return out;
}

/** Names under which client-node may have a type: `V1Pod`, or with its group where names clash: `CoreV1Event`. */
function clientNames(type: string): readonly string[] {
  const [kind = '', version = '', group = ''] = type.split('.').reverse();
  const plain = `${capital(version)}${kind}`;
  return [`${capital(group)}${plain}`, plain];
}

/** Field names that are words of TypeScript stand under another name there. */
const clientField = (field: string): string => ({ default: '_default', enum: '_enum', continue: '_continue', $ref: 'ref' })[field] ?? field;

/** Texts of all types of the facts, from the packages that carry them: the one with line breaks and enumerations first. */
export async function generateDescriptions(): Promise<void> {
  const types = await readJson<FactTable>('packages/api/facts/types-1.36.json');
  const [main, machinery, client] = await Promise.all([readSource(newest), readSource(meta), readSource(clientNode)]);
  const out: Descriptions = { texts: [], types: {} };
  const indexes = new Map<string, number>();
  const indexOf = (text: string): number => {
    const index = indexes.get(text) ?? out.texts.push(text) - 1;
    indexes.set(text, index);
    return index;
  };
  for (const [type, { fields = {} }] of Object.entries(types)) {
    if (/\.v\d+(?:alpha|beta)\d+\./.test(type)) continue; // Not served.
    const first = main.get(joined(type)) ?? machinery.get(joined(type)) ?? {};
    const second =
      clientNames(type)
        .map((name) => client.get(name))
        .find((found) => found !== undefined) ?? {};
    const texts: Record<string, number> = {};
    for (const field of ['', ...Object.keys(fields)]) {
      const text = first[field] ?? second[clientField(field)];
      if (text !== undefined) texts[field] = indexOf(text);
    }
    if (Object.keys(texts).length > 0) out.types[type] = texts;
  }
  await writeTable('packages/api/src/generated/tables/descriptions.ts', 'loadDescriptions', 'the Kubernetes packages of npm', out);
}
