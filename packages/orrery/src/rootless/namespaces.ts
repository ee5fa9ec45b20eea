import { spawn } from 'node:child_process';
import { readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { type Clock, sealedStdio } from '@orrery/base';
import { CliError } from '../cli/command.ts';
import { startTicksOf, writePrivateFile } from '../cluster/instance.ts';
import { mapWords } from './id-map.ts';
import type { RootlessParts } from './parts.ts';
import { runProgram } from './program.ts';
import { setUpScript } from './set-up-script.ts';
import { resolvConfFor, startUplink } from './uplink.ts';

interface Held {
  readonly pid: number;
  readonly startTicks: string;
}

/** Namespaces of an ordinary user, alive as long as their holder: a process that does nothing. */
export interface Namespaces {
  readonly holder: Held;
  readonly uplink: Held | undefined;
  /** The user namespace, as the kernel names it: `user:[4026531837]`. */
  readonly userNamespace: string;
  readonly notes: readonly string[];
}

/** What the kernel still has of the namespaces that a file tells of; undefined when their holder is gone. */
export async function findNamespaces(file: string): Promise<Namespaces | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  if (text === '') return undefined;
  const found = JSON.parse(text) as Namespaces;
  return (await isHeld(found.holder)) ? found : undefined;
}

const isHeld = async ({ pid, startTicks }: Held): Promise<boolean> => (await startTicksOf(pid)) === startTicks;

const WAIT_TRIES = 400;
const WAIT_MS = 10; // Together 4 s.

/**
 * Makes user and mount namespaces, and with `network` one of those too, and says so in `file`.
 *
 * @throws {CliError} when the kernel refuses.
 */
export async function makeNamespaces(
  file: string,
  parts: RootlessParts,
  { clock, network }: { readonly clock: Clock; readonly network: boolean },
): Promise<Namespaces> {
  const holder = await startHolder(parts, network, clock);
  try {
    await mapIds(holder.pid, parts);
    const userNamespace = await readlink(`/proc/${holder.pid}/ns/user`);
    const made: Namespaces = { holder, uplink: undefined, userNamespace, notes: parts.notes };
    if (!network) return made;
    await writePrivateFile(file, `${JSON.stringify(made)}\n`);
    const { uplink, notes } = await startUplink(parts.uplinks, holder.pid, `${file}.uplink`);
    const resolvConf = await resolvConfFor(uplink?.kind);
    if (resolvConf !== undefined) await writeFile(`${file}.resolv`, resolvConf, { mode: 0o644 });
    const script = setUpScript(resolvConf === undefined ? undefined : `${file}.resolv`);
    const { code, stderr } = await runProgram([...enterArguments(parts.nsenter, made, true), '/bin/sh', '-s'], script);
    if (code !== 0) throw new CliError(`the namespaces for containers cannot be set up: ${stderr.trim()}; "--runtime process" needs none`);
    const held = uplink === undefined ? undefined : { pid: uplink.pid, startTicks: (await startTicksOf(uplink.pid)) ?? '' };
    const whole = { ...made, uplink: held, notes: [...parts.notes, ...notes] };
    await writePrivateFile(file, `${JSON.stringify(whole)}\n`);
    return whole;
  } catch (error) {
    await endNamespaces(file, { holder, uplink: undefined, userNamespace: '', notes: [] }, clock);
    throw error;
  }
}

async function startHolder({ unshare }: RootlessParts, network: boolean, clock: Clock): Promise<Held> {
  const own = await readlink('/proc/self/ns/user');
  const child = spawn(unshare, ['--user', '--mount', ...(network ? ['--net'] : []), 'sleep', '2147483647'], {
    detached: true,
    cwd: '/',
    stdio: sealedStdio(['ignore', 'ignore', 'ignore']),
  });
  let failure: string | undefined;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', (code) => (failure = `exit code ${code}`));
  child.unref();
  const { pid = 0 } = child;
  for (let tries = 0; tries < WAIT_TRIES && failure === undefined; tries += 1) {
    // The last thing that unshare does is to become what it was told to run.
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    const startTicks = await startTicksOf(pid);
    if (name === 'sleep\n' && startTicks !== undefined && (await readlink(`/proc/${pid}/ns/user`)) !== own) return { pid, startTicks };
    await clock.sleep(WAIT_MS);
  }
  throw new CliError(`no user namespace could be made: ${failure ?? 'it took too long'}`);
}

async function mapIds(pid: number, { mappers, uids, gids }: RootlessParts): Promise<void> {
  if (mappers === undefined) {
    await writeFile(`/proc/${pid}/uid_map`, mapWords(uids).join(' '));
    await writeFile(`/proc/${pid}/setgroups`, 'deny');
    await writeFile(`/proc/${pid}/gid_map`, mapWords(gids).join(' '));
    return;
  }
  for (const argv of [
    [mappers.uid, `${pid}`, ...mapWords(uids)],
    [mappers.gid, `${pid}`, ...mapWords(gids)],
  ]) {
    const { code, stderr } = await runProgram(argv);
    if (code !== 0) throw new CliError(`your additional ids cannot be used: ${stderr.trim()}`);
  }
}

/** The start of a command that runs in the namespaces; without `network` in this machine's own network. */
export function enterArguments(nsenter: string, { holder }: Namespaces, network: boolean, directory = '/'): readonly string[] {
  const spaces = ['--user', '--mount', ...(network ? ['--net'] : [])];
  return [nsenter, '--preserve-credentials', `--target=${holder.pid}`, ...spaces, `--wd=${directory}`, '--'];
}

/** Kills everything that still is in the namespaces, and so ends them. Idempotent. */
export async function endNamespaces(file: string, namespaces: Namespaces, clock: Clock): Promise<void> {
  const { holder, uplink, userNamespace } = namespaces;
  const held = uplink === undefined ? [holder] : [uplink, holder];
  for (let tries = 0; tries < WAIT_TRIES; tries += 1) {
    const alive = await Promise.all(held.map(async (each) => ((await isHeld(each)) ? [each.pid] : [])));
    const left = [...alive.flat(), ...(userNamespace === '' ? [] : await processesOf(userNamespace))];
    if (left.length === 0) break;
    for (const pid of left) signal(pid);
    await clock.sleep(WAIT_MS);
  }
  await Promise.all([file, `${file}.uplink`, `${file}.resolv`].map((path) => rm(path, { force: true })));
}

async function processesOf(userNamespace: string): Promise<readonly number[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    names.map(async (name) => ((await readlink(`/proc/${name}/ns/user`).catch(() => '')) === userNamespace ? [Number(name)] : [])),
  );
  return found.flat().filter((pid) => pid !== process.pid);
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
}
