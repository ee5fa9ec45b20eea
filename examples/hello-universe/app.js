// node app.js                              on this machine
// node app.js --kubernetes --replicas 5    in a cluster, until Ctrl+C
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { universe } from '@orrery/universe';

const { where } = await universe({ name: 'hello-universe', ports: [8080] });
const me = process.env.POD_NAME ?? hostname();

const server = createServer((request, response) => {
  console.log(`${request.method} ${request.url}`);
  response.end(`Hello, universe! This is ${me}.\n`);
});
server.listen(Number(process.env.PORT ?? 8080), () => console.log(`${me} listens (${where})`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
