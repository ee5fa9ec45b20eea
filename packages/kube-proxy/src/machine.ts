import { readFile, writeFile } from 'node:fs/promises';
import { type CommandOptions, type CommandResult, runCommand } from './command.ts';

/** The network that a proxy works on: this process's own, or a network namespace beside it. */
export interface Machine {
  /** @throws the system's error when the program cannot be started. @throws AbortError */
  run(program: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** @param name - As a path: `net/ipv4/ip_forward`. Undefined when there is none. */
  readSysctl(name: string): Promise<string | undefined>;
  /** False when it may not be set. */
  writeSysctl(name: string, value: string): Promise<boolean>;
}

/** @param netns - Path of a network namespace, as `nsenter --net=` takes it. @default this process's */
export const newMachine = (netns?: string): Machine => (netns === undefined ? ownMachine : machineIn(netns));

const ownMachine: Machine = {
  run: runCommand,
  async readSysctl(name) {
    try {
      return (await readFile(`/proc/sys/${name}`, 'utf8')).trim();
    } catch {
      return undefined; // Not known to this kernel.
    }
  },
  async writeSysctl(name, value) {
    try {
      await writeFile(`/proc/sys/${name}`, value);
      return true;
    } catch {
      return false; // Read-only: the caller says what is then missing.
    }
  },
};

/** What stands in `/proc/sys/net` is that of whoever reads it, so it is read and written inside. */
function machineIn(netns: string): Machine {
  const run: Machine['run'] = (program, args, options) => runCommand('nsenter', [`--net=${netns}`, program, ...args], options);
  return {
    run,
    async readSysctl(name) {
      const { code, stdout } = await run('cat', [`/proc/sys/${name}`]);
      return code === 0 ? stdout.trim() : undefined;
    },
    async writeSysctl(name, value) {
      return (await run('tee', [`/proc/sys/${name}`], { input: value })).code === 0;
    },
  };
}
