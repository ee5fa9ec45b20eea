import { isJsonObject } from '@orrery/apimachinery';
import { semanticEqual } from './semantic-equal.ts';

/** Most lines that a difference shows. */
const LINES_MAX = 40;

/** The fields that differ, one `-`/`+` pair of lines each, for people. */
export function fieldDiff(old: unknown, next: unknown): string {
  const lines = differences('', old, next);
  return lines.length <= LINES_MAX
    ? lines.join('\n')
    : [...lines.slice(0, LINES_MAX), `… ${lines.length - LINES_MAX} more lines`].join('\n');
}

function differences(path: string, old: unknown, next: unknown): string[] {
  if (semanticEqual(old, next)) return [];
  if (Array.isArray(old) && Array.isArray(next) && old.length === next.length) {
    return old.flatMap((item: unknown, index) => differences(`${path}[${index}]`, item, next[index]));
  }
  if (isJsonObject(old) && isJsonObject(next)) {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(next)])].sort();
    return keys.flatMap((key) => differences(path === '' ? key : `${path}.${key}`, old[key], next[key]));
  }
  return [...line('-', path, old), ...line('+', path, next)];
}

const line = (sign: string, path: string, value: unknown): string[] =>
  value === undefined ? [] : [`  ${sign} ${path}: ${JSON.stringify(value)}`];
