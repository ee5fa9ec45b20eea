import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { ImageConfig } from '../images/image-record.ts';
import { hostPlatform } from '../images/platform.ts';
import { type ArchiveEntry, tarArchive } from './tar-archive.ts';

/** An image in memory: what a registry or an archive is filled with. */
export interface TestImage {
  readonly manifest: Buffer;
  readonly manifestDigest: string;
  readonly config: Buffer;
  /** Every blob by digest, manifest and configuration included. */
  readonly blobs: ReadonlyMap<string, Buffer>;
  /** An OCI layout in a tar, with `name` as reference. */
  archive(name: string): Buffer;
}

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** An image of layers (lists of entries, or finished tars), compressed by gzip. */
export function testImage(layers: readonly (readonly ArchiveEntry[] | Buffer)[], config: ImageConfig = {}): TestImage {
  const tars = layers.map((layer) => (Buffer.isBuffer(layer) ? layer : tarArchive(layer)));
  const zipped = tars.map((tar) => gzipSync(tar, { level: 1 }));
  const { os, architecture } = hostPlatform();
  const configBytes = Buffer.from(JSON.stringify({ os, architecture, config, rootfs: { type: 'layers', diff_ids: tars.map(digestOf) } }));
  const describe = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: describe(configBytes, 'application/vnd.oci.image.config.v1+json'),
      layers: zipped.map((bytes) => describe(bytes, 'application/vnd.oci.image.layer.v1.tar+gzip')),
    }),
  );
  const blobs = new Map([manifest, configBytes, ...zipped].map((bytes) => [digestOf(bytes), bytes] as const));
  const archive = (name: string): Buffer => {
    const entry = {
      ...describe(manifest, 'application/vnd.oci.image.manifest.v1+json'),
      annotations: { 'org.opencontainers.image.ref.name': name },
    };
    const files = [...blobs].map(([digest, content]) => ({ name: `blobs/${digest.replace(':', '/')}`, content }));
    const index = JSON.stringify({ schemaVersion: 2, manifests: [entry] });
    return tarArchive([
      { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
      { name: 'index.json', content: index },
      ...files,
    ]);
  };
  return { manifest, manifestDigest: digestOf(manifest), config: configBytes, blobs, archive };
}

const applets = [
  'sh',
  'ls',
  'cat',
  'echo',
  'sleep',
  'true',
  'false',
  'wget',
  'nc',
  'httpd',
  'nslookup',
  'ip',
  'id',
  'ps',
  'env',
  'hostname',
  'tar',
  'mount',
  'head',
  'tail',
  'dd',
  'seq',
  'stat',
  'touch',
  'mkdir',
  'rm',
  'chmod',
  'grep',
  'date',
  'kill',
  'sync',
  'vi',
  'test',
  'printf',
  'sort',
  'tr',
  'wc',
  'find',
  'df',
  'md5sum',
  'sha256sum',
  'chroot',
  'readlink',
  'pwd',
  'ln',
  'mv',
  'cp',
  'trap',
  'yes',
  'od',
  'awk',
  'sed',
  'tty',
  'stty',
  'timeout',
  'uname',
  'whoami',
  'top',
  'base64',
  'netstat',
  'ping',
  'route',
  'umount',
  'nproc',
  'ulimit',
  'tee',
  'cut',
  'uniq',
  'xargs',
  'expr',
  'basename',
  'dirname',
  'mkfifo',
  'mknod',
  'chown',
  'du',
  'usleep',
];

/** Debian's static busybox as an image: `/bin/sh` and the usual commands, users root and nobody. No network is needed. */
export function busyboxImage(config: ImageConfig = {}, extra: readonly ArchiveEntry[] = [], binary = '/usr/bin/busybox'): TestImage {
  const directory = (name: string, mode = 0o755): ArchiveEntry => ({ name, type: 'directory', mode });
  const links = applets.map((name): ArchiveEntry => ({ name: `bin/${name}`, type: 'hardlink', mode: 0o755, linkName: 'bin/busybox' }));
  const etc: ArchiveEntry[] = [
    { name: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' },
    { name: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
  ];
  const directories = [
    directory('./'),
    directory('bin'),
    directory('etc'),
    directory('root', 0o700),
    directory('tmp', 0o1777),
    directory('proc'),
    directory('dev'),
    directory('sys'),
    directory('var'),
  ];
  const layer = [...directories, { name: 'bin/busybox', mode: 0o755, content: readFileSync(binary) }, ...links, ...etc];
  return testImage(extra.length === 0 ? [layer] : [layer, extra], {
    Cmd: ['sh'],
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ...config,
  });
}
