import { type Machine, newMachine } from '../machine.ts';

/** Carries out one transaction: all of it or nothing. */
export type Nft = (lines: readonly string[], signal?: AbortSignal) => Promise<void>;

/** What nft refused, and its first complaint. */
export class NftError extends Error {
  override readonly name = 'NftError';
  readonly code: number;

  constructor(code: number, stderr: string) {
    super(`nft: ${stderr.trim().split('\n').slice(0, 3).join(' ').slice(0, 400) || `ended with ${code}`}`);
    this.code = code;
  }
}

/** The call throws NftError, or the system's error when nft cannot be started. */
export const newNft = (machine: Machine): Nft => {
  return async (lines, signal) => {
    if (lines.length === 0) return;
    const { code, stderr } = await machine.run('nft', ['-f', '-'], {
      input: `${lines.join('\n')}\n`,
      ...(signal === undefined ? {} : { signal }),
    });
    if (code !== 0) throw new NftError(code, stderr);
  };
};

/** Whether this process may program tables: nft is installed, and the kernel lets it. */
export async function canUseNft(): Promise<boolean> {
  const table = `ip orrery-probe-${process.pid}`;
  try {
    await newNft(newMachine())([
      `add table ${table}`,
      `add chain ${table} nat { type nat hook output priority -100; }`,
      `delete table ${table}`,
    ]);
    return true;
  } catch {
    return false; // Whatever the reason: no nft, no right, no kernel support.
  }
}
