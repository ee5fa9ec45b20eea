import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../tools/generate/source.ts';
import { realClients } from './clients.ts';
import { mountsBelow, processesNaming } from './processes.ts';

/** Why no user can be made here; undefined when one can. */
export const whyNoUser =
  process.geteuid?.() !== 0
    ? 'making a user needs root'
    : !existsSync('/usr/sbin/useradd') || !existsSync('/usr/bin/python3')
      ? 'useradd or python3 is missing'
      : undefined;

export interface OrdinaryUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Holds the program, kubectl, and `home`. */
  readonly folder: string;
  readonly program: string;
  readonly kubectl: string;
  readonly kubeconfig: string;
  readonly env: Readonly<Record<string, string>>;
  /** Removes the user and the folder. @returns what the user's programs left behind */
  remove(): Promise<{ readonly processes: readonly string[]; readonly mounts: readonly string[]; readonly temporary: readonly string[] }>;
}

/** The module that the bundle loads beside itself, and all that it needs. */
async function nativeModules(name = 'lmdb', found = new Set<string>()): Promise<Set<string>> {
  const manifest = join(root, 'node_modules', name, 'package.json');
  if (found.has(name) || !existsSync(manifest)) return found; // Optional, for another platform.
  found.add(name);
  const { dependencies, optionalDependencies } = JSON.parse(await readFile(manifest, 'utf8')) as Readonly<Record<string, object>>;
  for (const each of Object.keys({ ...dependencies, ...optionalDependencies })) await nativeModules(each, found);
  return found;
}

/** A user of this machine with nothing but a home, and the program in a folder that this user can read, whatever the checkout's may be. */
export async function newOrdinaryUser(suffix: string): Promise<OrdinaryUser> {
  const name = `orrery-${suffix}-${process.pid}`;
  execFileSync('useradd', ['--no-create-home', '--shell', '/bin/sh', name]);
  const id = (flag: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  const [uid, gid] = [id('-u'), id('-g')];
  const folder = await mkdtemp(join(tmpdir(), 'orrery-unprivileged-'));
  await chmod(folder, 0o755);
  await cp(join(root, 'packages/orrery/bin'), join(folder, 'orrery/bin'), { recursive: true });
  for (const file of ['orrery.cjs', 'orrery.code-cache']) {
    const from = join(root, 'packages/orrery/dist', file);
    if (existsSync(from)) await cp(from, join(folder, 'orrery/dist', file));
  }
  for (const module of await nativeModules())
    await cp(join(root, 'node_modules', module), join(folder, 'node_modules', module), { recursive: true });
  await cp(realClients().kubectl, join(folder, 'kubectl'));
  const home = join(folder, 'home');
  await mkdir(join(home, 'tmp'), { recursive: true });
  for (const each of [home, join(home, 'tmp')]) await chown(each, uid, gid);
  const data = join(home, 'data');
  return {
    name,
    uid,
    gid,
    folder,
    program: join(folder, 'orrery/bin/orrery.cjs'),
    kubectl: join(folder, 'kubectl'),
    kubeconfig: join(data, 'orrery/default/kubeconfig'),
    env: { PATH: process.env['PATH'] ?? '', HOME: home, XDG_DATA_HOME: data, TMPDIR: join(home, 'tmp'), LANG: 'C.UTF-8' },
    async remove() {
      const left = { processes: processesNaming(folder), mounts: mountsBelow(folder), temporary: await readdir(join(home, 'tmp')) };
      execFileSync('userdel', [name]);
      await rm(folder, { recursive: true, force: true });
      return left;
    },
  };
}
