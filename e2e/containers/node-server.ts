import { testCertificate } from '../../packages/client/src/testing/test-certificate.ts';
import { hostTools, type PodExtras, shellPod } from './fixture.ts';

/**
 * HTTP on port 8080, HTTPS that nobody trusts on 8443, and gRPC health checks on 5000. `/healthz` turns bad after `BAD_AFTER_MS`; `/redirect?loc=` leads elsewhere; every request
 * is a line of the log. The gRPC service `sick` is never well.
 */
const script = `
const http = require('node:http'), https = require('node:https'), http2 = require('node:http2'), begun = Date.now(), limit = Number(process.env.BAD_AFTER_MS || Infinity);
process.on('SIGTERM', () => process.exit(0));
const answer = (request, response) => {
  const url = new URL(request.url, 'http://x');
  console.log(...(request.socket.encrypted ? ['TLS'] : []), request.method, request.url, request.headers['user-agent'], request.headers['x-own'] || '');
  if (url.pathname === '/redirect') return response.writeHead(302, { location: url.searchParams.get('loc') }).end('elsewhere');
  if (url.pathname === '/slow') return setTimeout(() => response.end('late'), 5000);
  response.writeHead(url.pathname === '/healthz' && Date.now() - begun > limit ? 500 : 200).end('ok');
};
http.createServer(answer).listen(8080);
https.createServer(${JSON.stringify(testCertificate)}, answer).listen(8443);
http2.createServer().on('stream', (stream) => {
  const asked = [];
  stream.on('data', (chunk) => asked.push(chunk)).on('end', () => {
    const sick = Buffer.concat(asked).includes('sick');
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, sick ? 2 : 1]));
  });
}).listen(5000);
`;

/** A pod of one container `c` that serves until it is ended: Node of the host in an image that has nothing else. */
export function serverPod(name: string, { metadata = {}, spec = {}, container = {} }: PodExtras = {}): object {
  return shellPod(name, '', {
    metadata,
    spec: {
      volumes: [
        { name: 'usr', hostPath: { path: '/usr' } },
        { name: 'node', hostPath: { path: process.execPath, type: 'File' } },
      ],
      ...spec,
    },
    container: {
      image: hostTools,
      command: ['/node', '-e', script],
      volumeMounts: [
        { name: 'usr', mountPath: '/usr', readOnly: true },
        { name: 'node', mountPath: '/node', readOnly: true },
      ],
      ports: [{ name: 'http', containerPort: 8080 }],
      ...container,
    },
  });
}
