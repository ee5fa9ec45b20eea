import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { type Answer, decode, encode, type Packet, type RecordType } from 'dns-packet';

export interface AskOptions {
  readonly port: number;
  readonly over?: 'udp' | 'tcp';
  /** Announces EDNS with so many bytes. */
  readonly udpBytes?: number;
}

/** One question to 127.0.0.1, answered as dns-packet reads it. */
export async function ask(
  name: string,
  type: string,
  { port, over = 'udp', udpBytes }: AskOptions,
): Promise<Packet & { readonly bytes: number; readonly flag_aa?: boolean; readonly flag_tc?: boolean; readonly rcode?: string }> {
  const query = Buffer.from(
    encode({
      type: 'query',
      id: 7,
      flags: 0x100,
      questions: [{ type: type as RecordType, name }],
      ...(udpBytes === undefined
        ? {}
        : { additionals: [{ type: 'OPT', name: '.', udpPayloadSize: udpBytes, flags: 0, options: [] } as unknown as Answer] }),
    }),
  );
  const reply = over === 'udp' ? await overUdp(query, port) : await overTcp(query, port);
  return { ...decode(reply), bytes: reply.length };
}

export const overUdp = (query: Buffer, port: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.on('error', reject);
    socket.on('message', (message) => {
      socket.close();
      resolve(message);
    });
    socket.send(query, port, '127.0.0.1');
  });

export const overTcp = (query: Buffer, port: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.concat([Buffer.of(query.length >> 8, query.length & 255), query])));
    let received: Buffer = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      socket.destroy();
      resolve(received.subarray(2));
    });
  });

/** `name type data` of each record, sorted. */
export const lines = (records: readonly Answer[] | undefined): string[] =>
  (records ?? []).map((record) => `${record.name} ${record.type} ${dataOf(record)}`).sort();

function dataOf(record: Answer): string {
  const data: unknown = 'data' in record ? record.data : '';
  if (Array.isArray(data)) return data.map(String).join(' ');
  if (typeof data !== 'object' || data === null) return String(data);
  if ('target' in data) {
    const { priority, weight, port, target } = data as { priority?: number; weight?: number; port: number; target: string };
    return `${priority ?? 0} ${weight ?? 0} ${port} ${target}`;
  }
  return 'mname' in data ? `${String(data.mname)} ${String((data as { minimum?: number }).minimum)}` : JSON.stringify(data);
}
