import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serviceAccounts } from '@orrery/api';
import { type Client, loadKubeconfig, newClient, transportFromKubeconfig } from '@orrery/client';
import { busyboxImage } from '@orrery/cri-oci/testing';
import type { RunningOrrery } from './orrery-up.ts';
import { sleep } from './timing.ts';

export const namespace = 'default';
/** The image of {@link loadBusybox}. */
export const busybox = 'docker.io/library/busybox:1';

/** Debian's static busybox into a cluster's image store. */
export async function loadBusybox(orrery: RunningOrrery, directory: string): Promise<void> {
  const file = join(directory, 'busybox.tar');
  await writeFile(file, busyboxImage().archive(busybox));
  await orrery.run(['image', 'load', file]);
}

/** A client over HTTPS, once {@link namespace} takes pods. Disposal closes its connections. */
export async function clientOf({ kubeconfig }: RunningOrrery, signal: AbortSignal): Promise<AsyncDisposable & { readonly client: Client }> {
  while (!existsSync(kubeconfig)) await pause(signal); // It is written a moment after the API is ready.
  const client = newClient(await transportFromKubeconfig(await loadKubeconfig([kubeconfig])));
  const hasAccount = (): Promise<boolean> =>
    client.get(serviceAccounts, { namespace, name: 'default' }).then(
      () => true,
      () => false,
    );
  while (!(await hasAccount())) await pause(signal);
  return { client, [Symbol.asyncDispose]: async () => void (await client.transport.close()) };
}

async function pause(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await sleep(5);
}
