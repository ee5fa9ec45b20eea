import type { OptionSpec } from './command.ts';

export type OutputFormat = 'json' | 'yaml';

export const outputOption: OptionSpec = {
  type: 'string',
  short: 'o',
  placeholder: '<format>',
  choices: ['json', 'yaml'],
  description: 'print for scripts',
};

/** `value` in the wanted format, or the text for people. */
export async function formatOutput(value: object, format: OutputFormat | undefined, text: () => string): Promise<string> {
  if (format === undefined) return text();
  if (format === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  const { stringify } = await import('yaml');
  return stringify(value);
}
