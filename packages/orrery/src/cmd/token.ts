import { isNotFound } from '@orrery/apimachinery';
import { caHashOf } from '@orrery/kubelet';
import { type CliContext, CliError, clusterNameOf, defineCommand, exitCodes, nameOption, stringFlag, UsageError } from '../cli/command.ts';
import { type AdminAccess, withAdminClient } from '../cluster/admin-client.ts';
import { createJoinToken, deleteJoinToken, listJoinTokens } from '../cluster/join-tokens.ts';

interface TokenOptions {
  readonly cluster: string;
  readonly verb: 'create' | 'list' | 'delete';
  readonly tokens: readonly string[];
  /** 0: never ends. */
  readonly ttlMs: number;
  readonly printJoinCommand: boolean;
  readonly description: string;
}

const unitsMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30m`, `1h30m`, `24h`, `7d`, `0`. */
function durationMs(text: string): number {
  if (text === '0') return 0;
  const parts = [...text.matchAll(/(\d+)([smhd])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw new UsageError(`--ttl ${JSON.stringify(text)}: must be a duration as 30m, 24h or 7d; 0 for a token that never ends`);
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitsMs[unit ?? ''] ?? 0), 0);
}

/** Tokens by which further machines join. */
export const tokenCommand = defineCommand<TokenOptions>({
  name: 'token',
  short: 'Make, list and delete the tokens by which machines join a cluster',
  arguments: '(create | list | delete <token>...)',
  options: {
    name: nameOption,
    ttl: { type: 'string', placeholder: '<duration>', default: '24h', description: 'how long a new token is valid; 0: for ever' },
    'print-join-command': { type: 'boolean', description: 'print the command that a machine joins with, instead of the token' },
    description: { type: 'string', placeholder: '<text>', description: 'what a new token is for' },
  },
  examples: [
    ['orrery token create --print-join-command', 'The command to run on another machine'],
    ['orrery token list', 'Tokens that are valid now'],
    ['orrery token delete abcdef', 'End one, by its first six characters'],
  ],
  complete(parsed) {
    const [verb, ...tokens] = parsed.positionals;
    if (verb !== 'create' && verb !== 'list' && verb !== 'delete') throw new UsageError('token: expected one of create, list, delete');
    if (verb === 'delete' && tokens.length === 0) throw new UsageError('token delete: expected a token, or its first six characters');
    if (verb !== 'delete' && tokens.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(tokens[0])}`);
    return {
      cluster: clusterNameOf(parsed),
      verb,
      tokens,
      ttlMs: durationMs(stringFlag(parsed.flags['ttl']) ?? '24h'),
      printJoinCommand: parsed.flags['print-join-command'] === true,
      description: stringFlag(parsed.flags['description']) ?? '',
    };
  },
  async run(options, context) {
    await withAdminClient(options.cluster, context, async (access) => {
      if (options.verb === 'create') await create(options, context, access);
      else if (options.verb === 'list') await list(context, access);
      else for (const token of options.tokens) await remove(token, context, access);
    });
    return exitCodes.ok;
  },
});

async function create(
  { ttlMs, description, printJoinCommand }: TokenOptions,
  context: CliContext,
  { client, server, ca }: AdminAccess,
): Promise<void> {
  const { token } = await createJoinToken(client, context, ttlMs, description);
  context.out.write(printJoinCommand ? `orrery node --server ${server} --token ${token} --ca-hash ${caHashOf(ca)}\n` : `${token}\n`);
  if (printJoinCommand && /^https:\/\/(127\.|\[::1\]|localhost)/.test(server)) {
    context.err.write('note: the API server listens on loopback: other machines reach it after "orrery up --host <address>"\n');
  }
}

async function list({ out }: CliContext, { client }: AdminAccess): Promise<void> {
  const rows = (await listJoinTokens(client)).map(({ token, expires, description }) => [
    token,
    expires === '' ? '<never>' : expires,
    description,
  ]);
  const table = [['TOKEN', 'EXPIRES', 'DESCRIPTION'], ...rows];
  const widths = [0, 1].map((column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  for (const [token = '', expires = '', text = ''] of table) {
    out.write(`${token.padEnd(widths[0] ?? 0)}   ${expires.padEnd(widths[1] ?? 0)}   ${text}`.trimEnd().concat('\n'));
  }
}

async function remove(token: string, { out }: CliContext, { client }: AdminAccess): Promise<void> {
  const id = token.split('.')[0] ?? '';
  try {
    await deleteJoinToken(client, id);
  } catch (cause) {
    if (!isNotFound(cause)) throw cause;
    throw new CliError(`there is no token ${id}: see "orrery token list"`, { cause });
  }
  out.write(`token ${id} deleted\n`);
}
