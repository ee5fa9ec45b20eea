import type { Command } from './command.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** A completion script, made from the command table: verbs, then each verb's flags and their choices. */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  return { bash, zsh, fish }[shell](shown);
}

const flagsOf = (command: Command): string[] => [...Object.keys(command.options), 'help'].map((name) => `--${name}`);

const choicesOf = (command: Command): (readonly [string, readonly string[]])[] =>
  Object.entries(command.options).flatMap(([name, { choices }]) => (choices === undefined ? [] : [[`--${name}`, choices] as const]));

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => `    ${command.name}) words="${flagsOf(command).join(' ')}" ;;`).join('\n');
  const choices = commands
    .flatMap((command) => choicesOf(command).map(([flag, values]) => `    "${command.name} ${flag}") words="${values.join(' ')}" ;;`))
    .join('\n');
  return `_orrery() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  case "\${COMP_WORDS[1]}" in
${cases}
    *) words="${commands.map(({ name }) => name).join(' ')}" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${commands.map(({ name }) => name).join(' ')}"
  case "\${COMP_WORDS[1]} \${COMP_WORDS[COMP_CWORD-1]}" in
${choices}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _orrery orrery
`;
}

const zshText = (text: string): string => text.replace(/[\\:'[\]]/g, (c) => (c === "'" ? `'\\''` : `\\${c}`));

function zsh(commands: readonly Command[]): string {
  const verbs = commands.map(({ name, short }) => `    '${name}:${zshText(short)}'`).join('\n');
  const cases = commands
    .map((command) => {
      const options = Object.entries(command.options).map(([name, { description, type, choices }]) => {
        const value = type === 'boolean' ? '' : `:${name}:${choices === undefined ? '' : `(${choices.join(' ')})`}`;
        return `'--${name}[${zshText(description)}]${value}'`;
      });
      return `    ${command.name}) _arguments ${[...options, `'--help[show help]'`].join(' ')} ;;`;
    })
    .join('\n');
  return `#compdef orrery
_orrery() {
  local -a verbs
  verbs=(
${verbs}
  )
  if (( CURRENT == 2 )); then
    _describe command verbs
    return
  fi
  local verb="\${words[2]}"
  shift words
  (( CURRENT -= 1 ))
  case "$verb" in
${cases}
  esac
}
compdef _orrery orrery
`;
}

const fishText = (text: string): string => text.replace(/[\\']/g, (c) => `\\${c}`);

function fish(commands: readonly Command[]): string {
  const verbs = commands.map(({ name, short }) => `complete -c orrery -f -n __fish_use_subcommand -a ${name} -d '${fishText(short)}'`);
  const flags = commands.flatMap((command) =>
    Object.entries(command.options).map(([name, { description, short, type, choices }]) => {
      const value = type === 'boolean' ? '' : ` -r${choices === undefined ? '' : ` -a '${choices.join(' ')}'`}`;
      return `complete -c orrery -f -n '__fish_seen_subcommand_from ${command.name}' -l ${name}${short === undefined ? '' : ` -s ${short}`}${value} -d '${fishText(description)}'`;
    }),
  );
  return `${[...verbs, ...flags].join('\n')}\n`;
}
