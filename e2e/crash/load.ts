// A process of its own, forked by the crash test: 64 writers over HTTPS, each with its own objects. It knows nothing of what is checked.
import { Asker, accessOf } from '../support/https.ts';
import { Http2Asker } from './http2-asker.ts';
import {
  type Acknowledged,
  collectionOf,
  type Go,
  type Known,
  type Report,
  type Resource,
  SLOTS,
  WRITERS,
  type Write,
} from './protocol.ts';

interface ApiObject {
  readonly metadata: { readonly resourceVersion: string };
  readonly message?: string;
}

const seed = Number(process.argv[2] ?? '1');
let state = seed >>> 0 || 1;
/** xorshift32: the same choices in every run with one seed, as far as the server's timing lets them. */
function below(bound: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return state % bound;
}

let values = 0;

const labels = { load: 'yes' };
function newObject(resource: Resource, name: string, value: string): object {
  if (resource === 'configmaps') return { metadata: { name, labels }, data: { value } };
  return {
    metadata: { name, labels, annotations: { value } },
    // Of a scheduler that does not exist: it stays where it is.
    spec: { schedulerName: 'nobody', containers: [{ name: 'c', image: 'none' }] },
  };
}

function requestOf(
  { resource, name, verb, value }: Write,
  known: Known | undefined,
): { path: string; method: string; type: string; send: object } {
  const path = `${collectionOf(resource)}/${name}`;
  const json = 'application/json';
  if (verb === 'create') return { path: collectionOf(resource), method: 'POST', type: json, send: newObject(resource, name, value) };
  const resourceVersion = known?.revision ?? '';
  if (verb === 'delete') return { path, method: 'DELETE', type: json, send: { preconditions: { resourceVersion } } };
  if (resource === 'configmaps')
    return { path, method: 'PUT', type: json, send: { metadata: { name, labels, resourceVersion }, data: { value } } };
  return { path, method: 'PATCH', type: 'application/merge-patch+json', send: { metadata: { resourceVersion, annotations: { value } } } };
}

function nextWrite(writer: number, known: ReadonlyMap<string, Known>): Write {
  const slot = below(SLOTS);
  const [resource, name] = [slot === 0 ? 'pods' : 'configmaps', `w${writer}-${slot}`] as const;
  const before = known.get(name);
  const verb = before === undefined ? 'create' : below(10) < 3 ? 'delete' : 'update';
  if (verb !== 'delete') values += 1;
  return { writer, resource, name, verb, value: verb === 'delete' ? (before?.value ?? '') : `${values}` };
}

/** Writes one thing after another until the server is gone; the last one is doubtful. */
async function runWriter(
  writer: number,
  asker: Client,
  known: Map<string, Known>,
  acknowledged: Acknowledged[],
  wrong: string[],
): Promise<Write> {
  for (;;) {
    const write = nextWrite(writer, known);
    const { path, method, type, send } = requestOf(write, known.get(write.name));
    let answer: { status: number; value: ApiObject };
    try {
      answer = await asker.json<ApiObject>(path, { method, send, headers: { 'content-type': type } });
    } catch {
      return write;
    }
    if (answer.status === 429) continue; // Refused before it was looked at.
    if (answer.status !== (write.verb === 'create' ? 201 : 200)) {
      wrong.push(`${method} ${path} of writer ${writer}: ${answer.status} ${answer.value.message}`);
      return write;
    }
    const revision = write.verb === 'delete' ? undefined : Number(answer.value.metadata.resourceVersion);
    if (acknowledged.length === 0) process.send?.('writing');
    acknowledged.push({ ...write, revision });
    if (revision === undefined) known.delete(write.name);
    else known.set(write.name, { ...write, revision: `${revision}` });
  }
}

type Client = Pick<Http2Asker, 'json' | 'close'>;

/** HTTP/1.1 has a connection for each writer; HTTP/2 shares a few. */
function newClient({ kubeconfig, http2 }: Go): Client {
  const access = accessOf(kubeconfig);
  if (http2) return new Http2Asker(access, 4);
  const asker = new Asker(access, WRITERS);
  return { json: (path, options) => asker.json(path, options), close: () => asker.agent.destroy() };
}

async function runRound(go: Go): Promise<Report> {
  const client = newClient(go);
  const acknowledged: Acknowledged[] = [];
  const wrong: string[] = [];
  const doubtful = await Promise.all(
    Array.from({ length: WRITERS }, (_, writer) => {
      const own = go.known.filter(({ name }) => name.startsWith(`w${writer}-`));
      return runWriter(writer, client, new Map(own.map((each) => [each.name, each])), acknowledged, wrong);
    }),
  );
  client.close();
  return { acknowledged, doubtful, wrong };
}

process.on('message', (go: Go) => {
  void runRound(go).then((report) => process.send?.(report));
});
process.on('disconnect', () => process.exit(0));
