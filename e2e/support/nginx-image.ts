import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type ArchiveEntry, type TestImage, testImage } from '@orrery/cri-oci/testing';

const configuration = `user www-data;
worker_processes 1;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;
events { worker_connections 256; }
http {
  include /etc/nginx/mime.types;
  access_log /var/log/nginx/access.log;
  server {
    listen 80;
    root /usr/share/nginx/html;
  }
}
`;

const accounts: readonly ArchiveEntry[] = [
  { name: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n' },
  { name: 'etc/group', content: 'root:x:0:\nwww-data:x:33:\n' },
];

/** The program's interpreter and libraries, by the paths that it looks for them. */
function librariesOf(program: string): string[] {
  const listed = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...listed.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = '']) => path);
}

const fileOf = (path: string, mode: number): ArchiveEntry => ({ name: path.slice(1), mode, content: readFileSync(path) });

/** Every folder above `paths`, parents first. */
function foldersOf(paths: readonly string[]): ArchiveEntry[] {
  const folders = new Set<string>();
  for (const path of paths) for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) folders.add(folder);
  return [...folders].sort().map((name): ArchiveEntry => ({ name, type: 'directory', mode: 0o755 }));
}

/**
 * Debian's nginx-light with the libraries that it loads, laid out as the image of that name: it serves port 80, ends gracefully by SIGQUIT
 * and logs to the container's outputs. The page at `/` is `nginx <version>`.
 */
export function nginxImage(version: string): TestImage {
  const program = '/usr/sbin/nginx';
  const system = [
    ...librariesOf(program).map((path) => fileOf(path, 0o755)),
    fileOf(program, 0o755),
    fileOf('/etc/nginx/mime.types', 0o644),
  ];
  const log = (name: string, linkName: string): ArchiveEntry => ({ name: `var/log/nginx/${name}`, type: 'symlink', mode: 0o777, linkName });
  const own: ArchiveEntry[] = [
    ...accounts,
    { name: 'etc/nginx/nginx.conf', content: configuration },
    { name: 'run', type: 'directory', mode: 0o755 },
    { name: 'var/lib/nginx', type: 'directory', mode: 0o755 },
    log('access.log', '/dev/stdout'),
    log('error.log', '/dev/stderr'),
  ];
  const page: ArchiveEntry = { name: 'usr/share/nginx/html/index.html', content: `nginx ${version}\n` };
  const base = [...system, ...own];
  return testImage([[...foldersOf([...base, page].map(({ name }) => name)), ...base], [page]], {
    Cmd: ['nginx', '-g', 'daemon off;'],
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', `NGINX_VERSION=${version}`],
    ExposedPorts: { '80/tcp': {} },
    StopSignal: 'SIGQUIT',
  });
}
