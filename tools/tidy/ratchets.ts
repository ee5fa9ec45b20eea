import type { Source } from './sources.ts';

/** No source file may be longer. Lower it when you can; raising it needs a reason in the commit. */
export const FILE_LINES_MAX = 500;
/**
 * No function may be longer, counted from its first line to the brace that closes it. A factory (`newThing`) holds the functions of
 * what it makes: they are measured, it is not. Tests are free.
 */
export const FUNCTION_LINES_MAX = 90;

const opens =
  /^(\s*)(export )?(default )?(async )?(function\b.*|[\w#]+\(.*\).*|(const|let) \w+ = (async )?\(.*\).*=>.*|(get |set |static |async |readonly |#)*[\w#]+\(.*\).*)\{$/;

/** Length of each function by indentation: the formatter guarantees that a body closes at the column where it opened. */
export function longFunctions({ path, text }: Source): string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, start) => {
    const indent = opens.exec(line)?.[1];
    if (
      indent === undefined ||
      /\bfunction new[A-Z]/.test(line) ||
      /^\s*(if|for|while|switch|catch|return|describe|test|suite)\b/.test(line)
    )
      return [];
    const length = lines.slice(start + 1).findIndex((candidate) => candidate.startsWith(`${indent}}`)) + 2;
    return length > FUNCTION_LINES_MAX ? [`${path}:${start + 1}: function of ${length} lines, ${FUNCTION_LINES_MAX} at most`] : [];
  });
}

export function longFiles({ path, text }: Source): string[] {
  const length = text.split('\n').length - 1;
  return length > FILE_LINES_MAX ? [`${path}: ${length} lines, ${FILE_LINES_MAX} at most`] : [];
}
