// node app.js --tls-cert tls.crt --tls-key tls.key                 on this machine
// node app.js --tls-cert tls.crt --tls-key tls.key --kubernetes    in a cluster: a Secret carries them
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { universe } from '@orrery/universe';

const { tls } = await universe({ name: 'hello-tls', ports: [8443] });
if (tls === undefined) {
  console.error('a certificate is needed: --tls-cert <file> --tls-key <file>');
  process.exit(2);
}
const [cert, key] = await Promise.all([readFile(tls.cert), readFile(tls.key)]);
const server = createServer({ cert, key }, (request, response) => response.end(`Hello over ${request.socket.getProtocol()}!\n`));
server.listen(Number(process.env.PORT ?? 8443), () => console.log('listens'));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
