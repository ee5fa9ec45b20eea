import { mkdir, readFile, readlink, realpath, rm, rmdir, symlink } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { CliError } from '../cli/command.ts';
import { writePrivateFile } from './instance.ts';

/** Addresses of one cluster, in CIDR notation. */
export interface AddressRanges {
  /** A node's pods get a /24 of it. */
  readonly pods: string;
  readonly services: string;
  /** Of the Service kube-dns; within {@link services}. */
  readonly dns: string;
  /** The first /24 of {@link pods}: of the node that runs beside the API server. */
  readonly firstNode: string;
}

const SLOTS = 12;

/** Pairs of ranges: 10.244.0.0/16 with 10.96.0.0/16 (where kubeadm has them), then the next ones. */
export const rangesOf = (slot: number): AddressRanges => ({
  pods: `10.${244 + slot}.0.0/16`,
  services: `10.${96 + slot}.0.0/16`,
  dns: `10.${96 + slot}.0.10`,
  firstNode: `10.${244 + slot}.0.0/24`,
});

/** The ranges of which the Services' part is `services`; undefined when Orrery gives none such. */
export const knownRanges = (services: string): AddressRanges | undefined =>
  Array.from({ length: SLOTS }, (_, slot) => rangesOf(slot)).find((ranges) => ranges.services === services);

/**
 * The ranges of the cluster whose data is in `data`: the same for ever, and no other cluster's on this machine. A claim is a link named
 * by its number that leads to the cluster's data, so it is made by one alone, and it is void when that data is gone.
 *
 * @throws {CliError} when all are in use, or another cluster took this one's.
 */
export async function claimRanges(data: string, claims: string, local: readonly string[] = localAddresses()): Promise<AddressRanges> {
  await mkdir(claims, { recursive: true, mode: 0o755 });
  const home = await realpath(data);
  const file = join(data, 'ranges');
  const own = slotIn(await readFile(file, 'utf8').catch(() => ''));
  if (own !== undefined) {
    if (await claim(claims, own, home)) return rangesOf(own);
    throw new CliError(
      `the cluster in ${await readlink(join(claims, String(own)))} uses the address ranges of this one: delete that cluster, or this one ("orrery reset")`,
    );
  }
  for (let slot = 0; slot < SLOTS; slot += 1) {
    if (local.some((address) => isWithin(address, slot)) || !(await claim(claims, slot, home))) continue;
    await writePrivateFile(file, `${slot}\n`);
    return rangesOf(slot);
  }
  throw new CliError(`all ${SLOTS} address ranges of this machine are in use: delete a cluster that you no longer need ("orrery reset")`);
}

/** Gives a cluster's ranges back, before its data is deleted. */
export async function releaseRanges(data: string, claims: string): Promise<void> {
  const slot = slotIn(await readFile(join(data, 'ranges'), 'utf8').catch(() => ''));
  if (slot === undefined) return;
  const link = join(claims, String(slot));
  if ((await readlink(link).catch(() => undefined)) === (await realpath(data))) await rm(link, { force: true });
  await rmdir(claims).catch(() => undefined); // Other clusters' claims are in it.
}

const slotIn = (text: string): number | undefined => (/^\d+\n$/.test(text) && Number(text) < SLOTS ? Number(text) : undefined);

const localAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));

const isWithin = (address: string, slot: number): boolean =>
  address.startsWith(`10.${244 + slot}.`) || address.startsWith(`10.${96 + slot}.`);

async function claim(claims: string, slot: number, home: string): Promise<boolean> {
  const link = join(claims, String(slot));
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      await symlink(home, link);
      return true;
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code !== 'EEXIST') throw err;
    }
    const owner = await readlink(link).catch(() => undefined);
    if (owner === home) return true;
    if (owner === undefined || (await exists(owner))) return false;
    await rm(link, { force: true }); // Its cluster was deleted.
  }
  return false;
}

const exists = (path: string): Promise<boolean> =>
  realpath(path).then(
    () => true,
    () => false,
  );
