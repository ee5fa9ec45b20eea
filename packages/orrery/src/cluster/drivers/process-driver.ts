import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openProcessRuntime } from '@orrery/cri-process';
import type { NodeServices, RuntimeDriver } from './driver.ts';

const LOOPBACK = '127.0.0.1';

/** Pods as plain processes: always there. */
export const processDriver: RuntimeDriver = {
  name: 'process',
  problem: async () => undefined,
  async open(options) {
    const runtime = await openProcessRuntime({ ...options, hostAddress: LOOPBACK, directory: join(options.directory, 'process') });
    const services = servicesOf(runtime.nodeAddress);
    return {
      name: 'process',
      runtime,
      notes: [
        ...runtime.host.notes,
        'cpu and memory limits are not enforced: pods run as plain processes',
        ...(services === undefined ? ['Services have no addresses of their own here: that takes root'] : []),
      ],
      address: LOOPBACK,
      ...(services === undefined ? {} : { services }),
      close: () => runtime.close(),
    };
  },
  async cleanUp({ ranges }) {
    if (process.getuid?.() !== 0) return;
    const flush = ['address', 'flush', 'dev', 'lo', 'to', ranges.services];
    await promisify(execFile)('ip', flush).catch(() => undefined); // Without ip there never was an address.
  },
};

/** Addresses of Services are put on the loopback device, and low ports listened on: only root may. */
function servicesOf(address: string): NodeServices | undefined {
  return process.getuid?.() === 0 ? { mode: 'userspace', address } : undefined;
}
