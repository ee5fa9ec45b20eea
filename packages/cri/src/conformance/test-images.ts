import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type TarItem, tar } from './tar.ts';

/** The part of an image's configuration that says how it runs. */
export interface TestImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
}

/** An image in memory. */
export interface TestImage {
  readonly manifest: Buffer;
  readonly digest: string;
  /** Everything by digest, the manifest included. */
  readonly blobs: ReadonlyMap<string, Buffer>;
}

export const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm', ppc64: 'ppc64le', s390x: 's390x' };

/** Layers may be shared between images: a runtime keeps each once. */
export function newTestImage(layers: readonly Buffer[], config: TestImageConfig): TestImage {
  const zipped = layers.map((layer) => gzipSync(layer, { level: 1 }));
  const configuration = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: architectures[process.arch] ?? process.arch,
      config,
      rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
    }),
  );
  const describe = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: describe(configuration, 'application/vnd.oci.image.config.v1+json'),
      layers: zipped.map((bytes) => describe(bytes, 'application/vnd.oci.image.layer.v1.tar+gzip')),
    }),
  );
  const blobs = new Map([manifest, configuration, ...zipped].map((bytes) => [digestOf(bytes), bytes] as const));
  return { manifest, digest: digestOf(manifest), blobs };
}

const BUSYBOX = '/usr/bin/busybox';
const applets =
  'awk base64 basename cat chmod chown cp cut date dd df dirname du echo env expr false find free grep head hostname httpd id ip kill ln ls ' +
  'md5sum mkdir mkfifo mknod mount mv nc nproc nslookup od ping printf ps pwd readlink rm route sed seq setsid sh sleep sort stat stty sync ' +
  'tail tar tee test timeout top touch tr true tty umount uname uniq usleep vi wc wget whoami xargs yes';

/** The system's static busybox with its commands, and the users root, nobody and tester (1234, group 4321 and extras 5555). */
export function busyboxLayer(): Buffer {
  const directory = (name: string, mode = 0o755): TarItem => ({ name, directory: true, mode });
  return tar([
    ...['bin', 'etc', 'proc', 'dev', 'sys', 'var', 'run'].map((name) => directory(name)),
    directory('root', 0o700),
    directory('tmp', 0o1777),
    { name: 'bin/busybox', mode: 0o755, content: readFileSync(BUSYBOX) },
    ...applets.split(' ').map((name): TarItem => ({ name: `bin/${name}`, mode: 0o755, linkTo: 'bin/busybox' })),
    {
      name: 'etc/passwd',
      content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\ntester:x:1234:4321:tester:/tmp:/bin/sh\n',
    },
    { name: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\ntesters:x:4321:\nextras:x:5555:tester\n' },
  ]);
}

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Every image of the suite, by repository and tag. */
export function conformanceImages(): ReadonlyMap<string, TestImage> {
  const layer = busyboxLayer();
  const marked = (text: string) => [layer, tar([{ name: 'marker', content: text }])];
  return new Map([
    ['orrery/busybox:1', newTestImage([layer], { Cmd: ['sh'], Env: [PATH] })],
    ['orrery/pause:1', newTestImage([layer], { Entrypoint: ['/bin/sleep', '1000000'], Env: [PATH] })],
    ['orrery/one:1', newTestImage(marked('one'), { Cmd: ['cat', '/marker'], Env: [PATH] })],
    ['orrery/two:latest', newTestImage(marked('two'), { Cmd: ['cat', '/marker'], Env: [PATH] })],
    [
      'orrery/configured:1',
      newTestImage(marked('configured'), {
        Entrypoint: ['sh', '-c', 'echo "$0 $COLOUR $(pwd) $(id -u):$(id -g)"'],
        Cmd: ['argument'],
        Env: [PATH, 'COLOUR=green'],
        User: 'tester',
        WorkingDir: '/tmp',
      }),
    ],
    [
      'orrery/stop-signal:1',
      newTestImage([layer], {
        Cmd: ['sh', '-c', 'trap "exit 42" USR1; echo ready; while :; do sleep 0.05; done'],
        Env: [PATH],
        StopSignal: 'SIGUSR1',
      }),
    ],
  ]);
}
