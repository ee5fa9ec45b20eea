import { type Command, defineCommand, exitCodes, UsageError } from '../cli/command.ts';
import { completionScript, type Shell, shells } from '../cli/completion.ts';

/** @param commands - Called late: the table that it returns holds this command too. */
export const newCompletionCommand = (commands: () => readonly Command[]): Command =>
  defineCommand<{ readonly shell: Shell }>({
    name: 'completion',
    short: 'Print a completion script for your shell',
    arguments: '<bash|zsh|fish>',
    options: {},
    examples: [
      ['source <(orrery completion bash)', 'Completion in this bash'],
      ['orrery completion fish > ~/.config/fish/completions/orrery.fish', 'Completion in every fish'],
    ],
    complete({ positionals: [shell, ...rest] }) {
      if (shell === undefined || rest.length > 0 || !shells.includes(shell as Shell)) {
        throw new UsageError(`exactly one shell is required: ${shells.join(', ')}`);
      }
      return { shell: shell as Shell };
    },
    async run({ shell }, { out }) {
      out.write(completionScript(shell, commands()));
      return exitCodes.ok;
    },
  });
