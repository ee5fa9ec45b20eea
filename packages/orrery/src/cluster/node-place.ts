import { existsSync } from 'node:fs';
import { readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterPaths } from '../cli/paths.ts';
import { type AddressRanges, knownRanges } from './address-ranges.ts';
import { writePrivateFile } from './instance.ts';
import { registriesFile } from './registries.ts';

/** Where a node is among the addresses of its cluster. */
export interface NodePlace {
  readonly ranges: AddressRanges;
  /** The node's part of the pods' range. */
  readonly podCidr: string;
}

/** Keeps the place that a cluster elsewhere gave to a node, so that its pods can be ended without asking that cluster. */
export async function keepPlace(data: string, { ranges, podCidr }: NodePlace): Promise<void> {
  await writePrivateFile(fileOf(data), `${JSON.stringify({ services: ranges.services, podCidr })}\n`);
}

/** Undefined for a cluster of this machine, and for a node that never began. */
export async function keptPlace(data: string): Promise<NodePlace | undefined> {
  const text = await readFile(fileOf(data), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { services, podCidr } = JSON.parse(text) as { readonly services: string; readonly podCidr: string };
  const ranges = knownRanges(services);
  return ranges === undefined ? undefined : { ranges, podCidr };
}

export const isSamePlace = (one: NodePlace, other: NodePlace | undefined): boolean =>
  one.podCidr === other?.podCidr && one.ranges.services === other.ranges.services;

/** Whether a joined node keeps its things in a folder that a user named. */
export const isNodeFolder = ({ data, pki }: ClusterPaths): boolean =>
  existsSync(fileOf(data)) || existsSync(join(pki, 'kubelet-client.pem'));

/** Deletes what a joined node keeps, and its folder unless somebody else has something in it. */
export async function deleteNodeFolder({ data, pki, node, instance }: ClusterPaths): Promise<void> {
  for (const path of [node, pki, instance, registriesFile(data), fileOf(data)]) await rm(path, { recursive: true, force: true });
  await rmdir(data).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY') throw error;
  });
}

const fileOf = (data: string): string => join(data, 'place.json');
