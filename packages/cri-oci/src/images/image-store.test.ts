import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { realClock, systemRandom } from '@orrery/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startRegistry } from '../testing/registry.ts';
import type { ArchiveEntry } from '../testing/tar-archive.ts';
import { busyboxImage, digestOf, testImage } from '../testing/test-image.ts';
import type { ImageStore } from './image-store.ts';
import { openImageStore } from './open-image-store.ts';
import type { Registries } from './registries.ts';
import type { ContainerSnapshot } from './snapshots.ts';

let directory = '';
let store: ImageStore;
const open = (registries?: Registries): Promise<ImageStore> =>
  openImageStore({ directory: join(directory, 'images'), clock: realClock, random: systemRandom, registries });
const loadImage = (name: string, layers: readonly (readonly ArchiveEntry[])[]) =>
  store.load(Readable.from([testImage(layers).archive(name)]));
const mount = ({ rootfs, mount: { type, source, options, directory: cwd } }: ContainerSnapshot): void => {
  if (type === 'bind') execFileSync('mount', ['-o', options, source, rootfs], { cwd });
  else execFileSync('mount', ['-t', type, '-o', options, source, rootfs], { cwd });
};

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'orrery-images-'));
  store = await open();
});
afterEach(async () => {
  await store.retain(new Set());
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('the image store', () => {
  test('runs what an archive holds, and keeps it over a restart', async () => {
    const [image] = await store.load(Readable.from([busyboxImage({ Cmd: ['sh'] }).archive('busybox:1')]));
    expect(image).toMatchObject({ repoTags: ['docker.io/library/busybox:1'], config: { Cmd: ['sh'] } });
    store = await open();
    const found = store.resolve('busybox:1');
    expect(found?.id).toBe(image?.id);
    if (found === undefined) return;
    const snapshot = await store.snapshot('c1', found);
    mount(snapshot);
    expect(execFileSync('chroot', [snapshot.rootfs, '/bin/sh', '-c', 'echo hi > /tmp/x; cat /tmp/x; stat -c %a /tmp']).toString()).toBe(
      'hi\n1777\n',
    );
    expect((await store.snapshotUsage('c1')).inodesUsed).toBe(3);
    await store.releaseSnapshot('c1');
    await store.releaseSnapshot('c1');
    expect(readdirSync(join(directory, 'images', 'snapshots'))).toEqual([]);
  });

  test('hides by whiteouts, and keeps what directories are below', async () => {
    const base = [
      { name: 'tmp', type: 'directory', mode: 0o1777 },
      { name: 'a/b/old', content: 'old' },
      { name: 'c/old', content: 'old' },
      { name: 'gone', content: 'x' },
    ] as const;
    const top = [
      { name: '.wh.gone' },
      { name: 'a/b', type: 'directory', mode: 0o700 },
      { name: 'a/b/.wh..wh..opq' },
      { name: 'a/b/new', content: 'new' },
      { name: 'tmp/file', content: '1' },
      { name: 'c/.wh.old' },
    ] as const;
    const [image] = await loadImage('w', [base, top]);
    if (image === undefined) throw new Error('nothing was loaded');
    const snapshot = await store.snapshot('w1', image, { readOnly: true });
    mount(snapshot);
    expect(readdirSync(snapshot.rootfs).sort()).toEqual(['a', 'c', 'tmp']);
    expect(readdirSync(join(snapshot.rootfs, 'a/b'))).toEqual(['new']);
    expect(readdirSync(join(snapshot.rootfs, 'c'))).toEqual([]);
    expect(lstatSync(join(snapshot.rootfs, 'tmp')).mode & 0o7777).toBe(0o1777);
    expect(() => writeFileSync(join(snapshot.rootfs, 'x'), '')).toThrow('EROFS');
  });

  test.each<[string, readonly ArchiveEntry[], string]>([
    ['absolute path', [{ name: '/etc/evil' }], 'the path is absolute'],
    ['path out of the layer', [{ name: 'a/../../evil' }], 'leaves the layer'],
    ['through a symlink', [{ name: 'l', type: 'symlink', linkName: '/tmp' }, { name: 'l/evil' }], 'passes through "l", which is a symlink'],
    ['through a file', [{ name: 'f' }, { name: 'f/evil' }], 'passes through "f", which is a file'],
    [
      'directory over a symlink',
      [
        { name: 'l', type: 'symlink', linkName: '/tmp' },
        { name: 'l', type: 'directory' },
      ],
      'appears twice',
    ],
    ['hard link out', [{ name: 'h', type: 'hardlink', linkName: '../../etc/passwd' }], 'leaves the layer'],
    ['hard link to nothing', [{ name: 'h', type: 'hardlink', linkName: 'etc/passwd' }], 'is no file of this layer'],
    ['device node', [{ name: 'disk', type: 'block', deviceMajor: 8 }], 'is a device node'],
    ['overlay whiteout by device', [{ name: 'w', type: 'character' }], 'is a device node'],
  ])('refuses a hostile layer: %s', async (_, layer, why) => {
    await expect(loadImage('evil', [layer])).rejects.toThrow(why);
    expect(store.list()).toEqual([]);
    expect(readdirSync(join(directory, 'images', 'layers')).filter((name) => name !== 'empty')).toEqual([]);
    expect(readdirSync(join(directory, 'images', 'ingest'))).toEqual([]);
  });

  test('pulls three layers at once', async () => {
    const layer = (index: number): ArchiveEntry[] => [{ name: `file-${index}`, content: `layer ${index}` }];
    const image = testImage([0, 1, 2, 3, 4].map(layer));
    const waiting: (() => void)[] = [];
    let most = 0;
    const server = createServer((request, response) => {
      const [, kind, reference = ''] = /^\/v2\/.+\/(manifests|blobs)\/(.+)$/.exec(request.url ?? '') ?? [];
      if (kind === 'manifests')
        return void response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }).end(image.manifest);
      const blob = image.blobs.get(reference);
      if (reference === digestOf(image.config)) return void response.end(blob);
      waiting.push(() => response.end(blob));
      most = Math.max(most, waiting.length);
      // Whoever fetches one layer after the other never has three open at once, and would wait here for ever.
      if (waiting.length === 3 || most === 3) for (const answer of waiting.splice(0)) answer();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    store = await open({ mirrors: new Map([[host, { endpoints: [new URL(`http://${host}/`)], rewrites: [] }]]), configs: new Map() });
    const pulled = await store.pull({ reference: `${host}/a/b:1` });
    expect([pulled.layers.length, most]).toEqual([5, 3]);
    server.close();
  });

  test('pulls from a registry through a mirror, shares layers, removes what nobody uses', async () => {
    await using registry = await startRegistry();
    await registry.push('library/bb', '1', busyboxImage());
    await registry.push('library/bb', '2', busyboxImage({}, [{ name: 'etc/two', content: '2' }]));
    store = await open({ mirrors: new Map([['docker.io', { endpoints: [registry.url], rewrites: [] }]]), configs: new Map() });
    const [one, two, again] = await Promise.all([
      store.pull({ reference: 'bb:1' }),
      store.pull({ reference: 'bb:2' }),
      store.pull({ reference: 'bb:1' }),
    ]);
    expect(again).toEqual(one);
    expect(one.repoDigests[0]).toMatch(/^docker\.io\/library\/bb@sha256:/);
    expect(two.layers[0]).toBe(one.layers[0]);
    expect(store.resolve(one.repoDigests[0] ?? '')?.id).toBe(one.id);
    const { upper = '' } = await store.snapshot('s', two);
    await store.remove('bb:2');
    expect(store.resolve('bb:2')).toBeUndefined();
    expect(existsSync(upper)).toBe(true);
    expect(readdirSync(join(directory, 'images', 'layers'))).toHaveLength(3); // Both layers, used by the container, and the empty one.
    await store.releaseSnapshot('s');
    await store.remove(one.id);
    expect(readdirSync(join(directory, 'images', 'layers'))).toEqual(['empty']);
    expect(readFileSync(join(directory, 'images', 'images.json'), 'utf8')).toContain('"images":[]');
    store = await open({ mirrors: new Map([[registry.host, { endpoints: [registry.url], rewrites: [] }]]), configs: new Map() });
    await expect(store.pull({ reference: `${registry.host}/library/bb:3` })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('manifest unknown'),
    });
  });
});
