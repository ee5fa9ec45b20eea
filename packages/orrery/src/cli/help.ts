import type { Command, OptionSpec } from './command.ts';

const DESCRIPTION = 'Orrery: Kubernetes as one package. A whole cluster with one command.';

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join('');
}

function optionRow([name, { short, placeholder, description, default: fallback, choices }]: [string, OptionSpec]): readonly [
  string,
  string,
] {
  const left = `${short === undefined ? '    ' : `-${short}, `}--${name}${placeholder === undefined ? '' : ` ${placeholder}`}`;
  const notes = [choices === undefined ? '' : ` (${choices.join(', ')})`, fallback === undefined ? '' : ` [default: ${fallback}]`];
  return [left, `${description}${notes.join('')}`];
}

export function commandHelp(command: Command): string {
  const usage = `Usage: orrery ${command.name}${Object.keys(command.options).length > 0 ? ' [options]' : ''}${command.arguments === undefined ? '' : ` ${command.arguments}`}`;
  const rows = [...Object.entries(command.options).map(optionRow), ['-h, --help', 'show this help'] as const];
  const examples = command.examples.map(([line, what]) => `  # ${what}\n  ${line}\n`).join('\n');
  return `${command.short}\n\n${usage}\n\nOptions:\n${table(rows)}${examples === '' ? '' : `\nExamples:\n${examples}`}`;
}

export function rootHelp(commands: readonly Command[]): string {
  const rows = commands.filter(({ hidden }) => hidden !== true).map(({ name, short }) => [name, short] as const);
  return `${DESCRIPTION}\n\nUsage: orrery <command> [options]\n\nCommands:\n${table(rows)}
Run "orrery <command> --help" for its options and examples.
Exit codes: 0 done, 1 failed, 2 wrong command line, 3 the cluster is not running, 130 interrupted.
`;
}
