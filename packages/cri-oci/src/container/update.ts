import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LinuxContainerResources, RuntimeError } from '@orrery/cri';
import type { Host } from '../host/host.ts';
import { run } from '../host/process.ts';
import type { OciResources, OciSpec } from '../spec/oci.ts';
import { containerResources, mergedResources } from '../spec/resources.ts';
import type { Container } from './container.ts';
import { hideUnifiedCommand } from './hide-unified.ts';
import { runtimeCommand } from './launch.ts';

export interface UpdateTarget {
  readonly container: Container;
  readonly host: Host;
  readonly stateDirectory: string;
}

/**
 * Changes limits of a container: live where it runs, in its specification where it does not yet.
 * @throws {RuntimeError} `INTERNAL` when the kernel refuses, for example a memory limit below what is in use.
 */
export async function updateResources(target: UpdateTarget, update: LinuxContainerResources): Promise<void> {
  const { container, host } = target;
  const next = mergedResources(container.record.resources, update);
  const resources = containerResources(next, host.cgroups.abilities);
  if (host.limits && container.state === 'CONTAINER_RUNNING') await updateLive(target, resources);
  else if (container.state === 'CONTAINER_CREATED') await updateSpec(container, resources);
  await container.putResources(next);
}

async function updateLive({ container, host, stateDirectory }: UpdateTarget, resources: OciResources): Promise<void> {
  const file = join(container.directory, 'resources.json');
  await writeFile(file, JSON.stringify(resources), { mode: 0o600 });
  const [program = '', ...args] = hideUnifiedCommand(host, [
    ...runtimeCommand(host, stateDirectory),
    'update',
    '--resources',
    file,
    container.record.id,
  ]);
  const { code, stderr } = await run(program, args, { env: { PATH: host.path } });
  if (code !== 0) throw new RuntimeError('INTERNAL', `failed to update resources of container "${container.record.id}": ${stderr.trim()}`);
}

async function updateSpec({ directory }: Container, resources: OciResources): Promise<void> {
  const file = join(directory, 'config.json');
  const spec = JSON.parse(await readFile(file, 'utf8')) as OciSpec;
  const { devices = [] } = spec.linux.resources;
  await writeFile(`${file}.tmp`, JSON.stringify({ ...spec, linux: { ...spec.linux, resources: { ...resources, devices } } }), {
    mode: 0o600,
  });
  await rename(`${file}.tmp`, file);
}
