import { defineCommand, exitCodes, noArguments } from '../cli/command.ts';
import { type Connection, connectionOf, connectionOptions, withConnection } from '../cli/connection.ts';

export const gcCommand = defineCommand<{ readonly connection: Connection }>({
  name: 'gc',
  short: 'Remove what programs left behind whose launcher is gone',
  options: connectionOptions,
  examples: [
    ['orrery gc', 'A cluster does it by itself within 30 s; this does it at once'],
    ['orrery gc -A', 'In every namespace'],
  ],
  complete(parsed, context) {
    noArguments(parsed);
    return { connection: connectionOf(parsed, context) };
  },
  async run({ connection }, context, signal) {
    const { collectRuns } = await import('@orrery/universe/launcher');
    const { clock, out } = context;
    const collected = await withConnection(connection, context, (connected) => collectRuns({ ...connected, clock, signal }));
    for (const { app, id } of collected) out.write(`${app}-${id} removed\n`);
    if (collected.length === 0) out.write('nothing to remove\n');
    return exitCodes.ok;
  },
});
