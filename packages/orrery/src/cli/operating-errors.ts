import { KubeconfigError } from '@orrery/client';
import { CliError } from './command.ts';

/** What to do about the errors of the operating system that a user meets. */
const advice: Readonly<Record<string, string>> = {
  EACCES: 'make it accessible to your user, or choose another folder with XDG_DATA_HOME',
  EPERM: 'make it accessible to your user, or choose another folder with XDG_DATA_HOME',
  EROFS: 'the file system is read-only: choose another folder with XDG_DATA_HOME',
  ENOSPC: 'the disk is full: make room, then start again; nothing that was acknowledged is lost',
  EDQUOT: 'your quota of disk space is used up: make room, then start again',
  ENOTDIR: 'a file stands where a folder must be: move it away, or choose another folder with XDG_DATA_HOME',
  EMFILE: 'this process may open no more files: raise "ulimit -n"',
  ENFILE: 'the machine may open no more files: raise fs.file-max',
  EADDRNOTAVAIL: 'this machine has no such address: choose another with --host',
  ENOTFOUND: 'this name has no address: choose another with --host',
};

/** An error that an operator can mend as one that says how; undefined when it is a fault of ours. */
export function operatingError(error: unknown): CliError | undefined {
  if (error instanceof CliError) return error;
  if (error instanceof KubeconfigError) return new CliError(error.message, { cause: error });
  if (!(error instanceof Error)) return undefined;
  const { code = '' } = error as NodeJS.ErrnoException;
  const todo = advice[code];
  return todo === undefined ? undefined : new CliError(`${error.message}: ${todo}`, { cause: error });
}
