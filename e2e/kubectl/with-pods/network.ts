import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually, type Json, type Kubectl, lines, type Running, type Suite } from '../fixture.ts';

export function networkTests(suite: () => Suite): void {
  let k: Kubectl;
  const megabytes = 100;

  const block = Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => (i * 31) % 256));
  const pattern = [...block.subarray(0, 256)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');

  /** A server that says hello at `/` and gives the block a hundred times at `/cgi-bin/big`; what is sent to `/cgi-bin/sum` comes back as a checksum. */
  const server = (address: string): string => `
mkdir -p /www/cgi-bin; cd /www/cgi-bin
printf hello > ../index.html
printf '${pattern}' > ../block
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do cat ../block ../block > ../twice; mv ../twice ../block; done
cat > big <<'end'
#!/bin/sh
printf 'Content-Length: ${megabytes << 20}\r\n\r\n'
i=0; while [ $i -lt ${megabytes} ]; do cat ../block; i=$((i + 1)); done
end
cat > sum <<'end'
#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n'
set -- $(sha256sum); printf $1
end
chmod +x big sum
busybox httpd -f -p ${address}8080 -h /www & trap "kill $!; exit 0" TERM; wait`;

  const expected = (): string => {
    const hash = createHash('sha256');
    for (let i = 0; i < megabytes; i++) hash.update(block);
    return hash.digest('hex');
  };

  beforeAll(async () => {
    k = await suite().namespace('network');
    await k.create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [
              {
                name: 'web',
                image: 'busybox',
                command: ['sh', '-c', server(suite().driver.isolates ? '' : '$POD_IP:')],
                env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
                ports: [{ name: 'http', containerPort: 8080 }],
                readinessProbe: { httpGet: { port: 'http' }, periodSeconds: 1 },
                volumeMounts: [{ name: 'www', mountPath: '/www' }],
              },
            ],
            volumes: [{ name: 'www', emptyDir: {} }],
          },
        },
      },
    });
    await k('expose deployment web --port=80 --target-port=http');
    await k('rollout status deployment/web --timeout=60s');
  });

  interface Answer {
    readonly status: number;
    readonly sha256: string;
    readonly text: string;
  }

  function fetchFrom(where: { port: number } | { socketPath: string }, path: string, body?: () => Generator<Buffer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? undefined : megabytes << 20;
      const req = request(
        {
          host: '127.0.0.1',
          agent: false,
          ...where,
          path,
          method: body === undefined ? 'GET' : 'POST',
          ...(length === undefined ? {} : { headers: { 'content-length': length } }),
        },
        (res) => {
          const hash = createHash('sha256');
          let text = '';
          res.on('data', (chunk: Buffer) => {
            hash.update(chunk);
            if (text.length < 100_000) text += chunk.toString();
          });
          res.once('error', reject);
          res.once('end', () => resolve({ status: res.statusCode ?? 0, sha256: hash.digest('hex'), text }));
        },
      );
      req.once('error', reject);
      void send(req, body);
    });
  }

  async function send(req: ReturnType<typeof request>, body?: () => Generator<Buffer>): Promise<void> {
    for (const chunk of body?.() ?? []) if (!req.write(chunk)) await new Promise((resolve) => req.once('drain', resolve));
    req.end();
  }

  async function forwarded(running: Running): Promise<{ port: number }> {
    const shown = await running.shows(/Forwarding from 127\.0\.0\.1:\d+ -> \d+/);
    return { port: Number(/127\.0\.0\.1:(\d+)/.exec(shown)?.[1]) };
  }

  describe('port-forward', () => {
    test('carries 100 MB each way intact', async () => {
      const [pod] = lines(await k('get pods -l app=web -o name'));
      const running = k.start(`port-forward ${pod} :8080`);
      const where = await forwarded(running);
      expect(await fetchFrom(where, '/')).toMatchObject({ status: 200, text: 'hello' });
      const down = await fetchFrom(where, '/cgi-bin/big');
      expect(down.sha256).toBe(expected());
      const up = await fetchFrom(where, '/cgi-bin/sum', function* () {
        for (let i = 0; i < megabytes; i++) yield block;
      });
      expect(up.text).toBe(expected());
      await running.stop();
    }, 90_000);

    test.each([
      ['deployment/web :8080', 8080],
      ['deployment/web :http', 8080],
      ['service/web :80', 8080],
    ])('%s', async (args, port) => {
      const running = k.start(`port-forward ${args}`);
      const where = await forwarded(running);
      expect(running.output).toContain(` -> ${port}\n`);
      const answers = await Promise.all(Array.from({ length: 8 }, () => fetchFrom(where, '/')));
      expect(answers.map(({ text }) => text)).toEqual(Array(8).fill('hello'));
      await running.stop();
    });

    test('where nobody listens', async () => {
      const running = k.start('port-forward deployment/web :9');
      const { port } = await forwarded(running);
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.once('close', () => resolve());
        socket.resume();
      });
      await running.shows(/error forwarding port 9 to pod|lost connection to pod|an error occurred forwarding/);
      await running.stop();
      expect(await k.fails('port-forward service/web :81')).toContain('does not have a service port 81');
    });
  });

  describe('proxy', () => {
    test('over TCP', async () => {
      const running = k.start('proxy --port=0');
      const shown = await running.shows(/Starting to serve on 127\.0\.0\.1:\d+/);
      const where = { port: Number(/:(\d+)/.exec(shown)?.[1]) };
      expect(JSON.parse((await fetchFrom(where, '/version')).text)).toMatchObject({ minor: '36' });
      expect(JSON.parse((await fetchFrom(where, '/api/v1/namespaces/network/pods?limit=1')).text)).toMatchObject({ kind: 'PodList' });
      expect((await fetchFrom(where, '/api/v1/namespaces/network/pods/none')).status).toBe(404);
      expect((await fetchFrom(where, '/api/v1/namespaces/network/pods/x/exec')).status).toBe(403);
      await running.stop();
    });

    test('over a Unix socket, under a prefix', async () => {
      const socketPath = join(suite().folder, 'proxy.sock');
      const running = k.start(['proxy', `--unix-socket=${socketPath}`, '--api-prefix=/k8s']);
      await running.shows('Starting to serve on');
      expect((await fetchFrom({ socketPath }, '/k8s/readyz')).text).toBe('ok');
      await running.stop();
    });

    test('the API server reaches pods and services', async () => {
      const [pod] = lines(await k('get pods -l app=web -o name'));
      const name = pod?.replace('pod/', '');
      expect(await k(`get --raw /api/v1/namespaces/network/pods/${name}:8080/proxy/`)).toBe('hello');
      expect(await k(`get --raw /api/v1/namespaces/network/pods/${name}/proxy/`)).toBe('hello');
      await eventually(async () => expect(await k('get --raw /api/v1/namespaces/network/services/web:80/proxy/')).toBe('hello'));
    });
  });

  describe('endpoints', () => {
    test('follow the pods', async () => {
      const ip = await k(['get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[0].status.podIP}']);
      await eventually(async () =>
        expect(await k('get endpoints web -o jsonpath={.subsets[0].addresses[0].ip}:{.subsets[0].ports[0].port}')).toBe(`${ip}:8080`),
      );
      expect((await k.try('get endpoints web')).stderr).toBe(
        'Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n',
      );
      const slices = await k.json<{ items: Json[] }>('get endpointslices -l kubernetes.io/service-name=web');
      expect(slices.items).toMatchObject([
        {
          addressType: 'IPv4',
          endpoints: [{ addresses: [ip], conditions: { ready: true, serving: true, terminating: false } }],
          ports: [{ port: 8080 }],
        },
      ]);
      await k('scale deployment web --replicas=0');
      await eventually(async () => expect(await k('get endpoints web -o jsonpath={.subsets}')).toBe(''));
      await k('scale deployment web --replicas=1');
    });
  });

  describe('curl', () => {
    test('with the client certificate', async () => {
      const config = await k.json<{ clusters: Json[]; users: Json[] }>('config view --raw --minify');
      const { server: url, 'certificate-authority-data': ca } = (config.clusters[0]?.['cluster'] ?? {}) as unknown as Record<
        string,
        string
      >;
      const { 'client-certificate-data': cert, 'client-key-data': key } = (config.users[0]?.['user'] ?? {}) as unknown as Record<
        string,
        string
      >;
      const file = async (name: string, base64 = ''): Promise<string> => suite().file(name, Buffer.from(base64, 'base64').toString());
      const tls = ['--cacert', await file('ca.pem', ca), '--cert', await file('cert.pem', cert), '--key', await file('key.pem', key)];
      const curl = async (...args: string[]): Promise<string> => (await promisify(execFile)('curl', ['-sS', ...args])).stdout;
      expect(JSON.parse(await curl(...tls, `${url}/api/v1/namespaces/default`))).toMatchObject({
        kind: 'Namespace',
        metadata: { name: 'default' },
      });
      expect(await curl(...tls, '-o', '/dev/null', '-w', '%{http_version} %{http_code}', `${url}/api`)).toBe('2 200');
      expect(await curl(...tls, '--http1.1', '-o', '/dev/null', '-w', '%{http_version} %{http_code}', `${url}/api`)).toBe('1.1 200');
      const made = await curl(
        ...tls,
        '-H',
        'content-type: application/yaml',
        '--data-binary',
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: curled}\n',
        `${url}/api/v1/namespaces/network/configmaps`,
      );
      expect(JSON.parse(made)).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'curled' } });
      const [ca2, ...rest] = tls.slice(0, 2);
      expect(JSON.parse(await curl(String(ca2), ...rest, `${url}/api/v1/namespaces`))).toMatchObject({
        kind: 'Status',
        status: 'Failure',
        reason: 'Unauthorized',
        code: 401,
      });
      expect(await curl(String(ca2), ...rest, `${url}/healthz`)).toBe('ok');
      expect(await curl(String(ca2), ...rest, '-o', '/dev/null', '-w', '%{http_code}', `${url}/version`)).toBe('200');
    });
  });
}
