import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ArchiveEntry, busyboxImage, testImage } from '@orrery/cri-oci/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startHostileRegistry, type Trick } from '../support/hostile-registry.ts';
import { type Json, shellPod, useContainers } from './fixture.ts';
import { type Neighbour, startNeighbour } from './neighbour.ts';

/** Trick of the registry, and what people are told. */
const registryTricks: readonly (readonly [trick: Trick, told: RegExp])[] = [
  ['never-answers', /127\.0\.0\.1:\d+ sent no bytes for 2 s/],
  ['stalls', /127\.0\.0\.1:\d+ sent no bytes for 2 s/],
  ['wrong-bytes', /failed to verify layer: got sha256:\w+, expected sha256:\w+/],
  ['ends-early', /unexpected EOF after \d+ of \d+ bytes/],
  ['too-long', /is longer than the \d+ bytes that the manifest says/],
  ['no-manifest', /manifest/],
  ['redirects', /redirects more than 5 times/],
  ['fails', /503 Service Unavailable/],
];

const mark = 'orrery-hostile-mark';
/** What of it would lie where if an archive were believed. */
const places = [`/tmp/${mark}`, `/${mark}`, `/etc/${mark}`];

const archiveTricks: readonly (readonly [name: string, layer: readonly ArchiveEntry[], told: RegExp])[] = [
  ['absolute', [{ name: `/tmp/${mark}`, content: 'x' }], /the path is absolute/],
  ['parent', [{ name: `${'../'.repeat(20)}tmp/${mark}`, content: 'x' }], /leaves the layer/],
  [
    'through-link',
    [
      { name: 'out', type: 'symlink', linkName: '/tmp' },
      { name: `out/${mark}`, content: 'x' },
    ],
    /passes through "out", which is a symlink/,
  ],
  ['hard-link', [{ name: 'passwd', type: 'hardlink', linkName: `${'../'.repeat(20)}etc/passwd` }], /leaves the layer/],
  ['device', [{ name: 'disk', type: 'block', deviceMajor: 8 }], /is a device node/],
];

const registry = await startHostileRegistry();
const suite = useContainers('hostile', [], { registries: registry.registries });
let neighbour: Neighbour;

const imageOf = (name: string): string => `${registry.host}/hostile/${name}:1`;

/** Its own layer for each, so that none is there before; incompressible, so that its middle is not its end. */
const harmless = (name: string) => busyboxImage({}, [{ name: 'own', content: `${name} ${randomBytes(50_000).toString('base64')}` }]);

const pods = [...registryTricks.map(([trick]) => trick), ...archiveTricks.map(([name]) => name), 'busy', 'no-such'] as const;

beforeAll(async () => {
  for (const trick of [...registryTricks.map(([each]) => each), 'busy'] as const)
    registry.serve(`hostile/${trick}`, harmless(trick), trick);
  for (const [name, layer] of archiveTricks) registry.serve(`hostile/${name}`, testImage([layer]));
  neighbour = await startNeighbour(suite());
  await suite().create(...pods.map((name) => shellPod(name, 'echo ran', { container: { image: imageOf(name) } })));
});

afterAll(async () => {
  await neighbour.stop();
  await registry.close();
});

interface Waiting {
  readonly reason?: string;
  readonly message?: string;
}

const waitingOf = (pod: Json): Waiting =>
  ((pod['status']?.['containerStatuses'] as unknown as readonly Json[] | undefined)?.[0]?.['state']?.['waiting'] ?? {}) as Waiting;

const eventsOf = async (name: string): Promise<readonly Json[]> => {
  const { items } = await suite().get<{ readonly items: readonly Json[] }>(`events?fieldSelector=involvedObject.name=${name}`);
  return items;
};

/** Both say which image, and why; and the pod waits between tries. */
async function expectRefused(name: string, told: RegExp): Promise<void> {
  const refused = await suite().pod(name, (pod) => ['ErrImagePull', 'ImagePullBackOff'].includes(`${waitingOf(pod).reason}`), 'refused');
  expect(waitingOf(refused).message).toMatch(told);
  const backedOff = await suite().pod(name, (pod) => waitingOf(pod).reason === 'ImagePullBackOff', 'backed off');
  expect(waitingOf(backedOff).message).toMatch(new RegExp(`^Back-off pulling image "${imageOf(name)}": ErrImagePull: `));
  const said = async (reason: string) =>
    (await eventsOf(name)).find((event) => `${event['reason']}` === reason && told.test(`${event['message']}`));
  const event = await eventually(async () => {
    const found = await said('Failed');
    if (found === undefined) throw new Error(`no event of ${name} tells ${told}`);
    return found;
  });
  expect(event).toMatchObject({ type: 'Warning', involvedObject: { kind: 'Pod', name } });
  expect(`${event['message']}`).toContain(`Failed to pull image "${imageOf(name)}": `);
  await neighbour.look();
}

/** Files that a pull leaves below the image store: one name each, apart from what is whole. */
const leftOvers = (): readonly string[] =>
  readdirSync(join(suite().cluster.home, 'data'), { recursive: true, encoding: 'utf8' }).filter((path) => /\/ingest\/./.test(path));

describe('a registry that', () => {
  test.each(registryTricks)('%s', { timeout: 120_000 }, expectRefused);

  test('has no such image', () => expectRefused('no-such', /manifest unknown: not found/));

  test('is busy for a moment is asked again', async () => {
    expect(await suite().output('busy')).toBe('ran\n');
  });
});

describe('an image with', () => {
  test.each(archiveTricks)('%s', { timeout: 120_000 }, async (name, _, told) => {
    const before = statSync('/etc/passwd').nlink;
    await expectRefused(name, told);
    expect(places.filter((place) => existsSync(place))).toEqual([]);
    expect(statSync('/etc/passwd').nlink).toBe(before);
  });
});

test('nothing of what was refused stays, and what is healed runs', { timeout: 180_000 }, async () => {
  await eventually(() => expect(leftOvers()).toEqual([]), 60_000);
  registry.heal();
  for (const [trick] of registryTricks) expect(await suite().output(trick)).toBe('ran\n');
  await neighbour.look();
});
