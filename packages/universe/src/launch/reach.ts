import { LaunchProblem } from '../options/settings.ts';
import { type Connection, connect } from './connect.ts';
import type { LaunchIo } from './launch-io.ts';

/** A cluster that was asked for and answers. */
export interface Reached<Setting> {
  readonly setting: Setting;
  readonly connection: Connection;
}

export interface Reach<Setting> {
  readonly reached: readonly Reached<Setting>[];
  /** In one line each: the cluster and why it does not answer. */
  readonly missing: readonly { readonly name: string; readonly why: string }[];
}

/** A cluster that takes longer for one small answer would hold up all others. */
const ANSWER_MS_MAX = 5_000;

/**
 * Connects to clusters and asks each for its version, which everybody may read.
 * @param ask - False: connects alone, for what needs no answer.
 * @throws {LaunchProblem} when a context is wrong, or when not one cluster answers.
 */
export async function reachAll<Setting extends { readonly context: string }>(
  settings: readonly Setting[],
  io: LaunchIo,
  ask: boolean,
): Promise<Reach<Setting>> {
  // A mistyped context is a mistake, not a cluster that is down: nothing goes on without it.
  const all = await Promise.all(settings.map(async (setting) => ({ setting, connection: await connect(setting.context, io) })));
  if (!ask) return { reached: all, missing: [] };
  const problems = await Promise.all(all.map(({ connection }) => problemOf(connection, io)));
  const reached = all.filter((_, index) => problems[index] === undefined);
  const missing = all.flatMap(({ connection: { name } }, index) => {
    const why = problems[index];
    return why === undefined ? [] : [{ name, why }];
  });
  const lost = all.filter((_, index) => problems[index] !== undefined);
  await Promise.allSettled(lost.map(({ connection }) => connection.transport.close()));
  if (reached.length === 0) throw new LaunchProblem(missing.map(({ name, why }) => `cluster ${name} does not answer: ${why}`).join('\n'));
  return { reached, missing };
}

async function problemOf({ client }: Connection, { clock, signal }: LaunchIo): Promise<string | undefined> {
  const done = new AbortController();
  const asking = AbortSignal.any([signal, done.signal]);
  const late = clock.sleep(ANSWER_MS_MAX, asking).then(
    () => `no answer in ${ANSWER_MS_MAX / 1000} s`,
    () => undefined,
  );
  const answer = client.raw({ path: '/version' }, asking).then(
    async ({ body }) => {
      for await (const _ of body); // To its end: the connection is used again.
      return undefined;
    },
    (error: unknown) => plain(error),
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    done.abort();
  }
}

const plain = (error: unknown): string => (error instanceof Error ? error.message : String(error));
