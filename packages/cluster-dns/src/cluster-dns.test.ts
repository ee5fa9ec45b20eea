import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { newSeededRandom, realClock } from '@orrery/base';
import type { Client } from '@orrery/client';
import { decode, encode } from 'dns-packet';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ClusterDns, newClusterDns } from './cluster-dns.ts';
import type { Upstream } from './forward/resolv-conf.ts';
import { ask, lines, overUdp } from './testing/ask.ts';
import { namespace, newTestState, service, slice, type TestState } from './testing/objects.ts';

const noClient = {} as Client;
let state: TestState;
let stop: () => Promise<void>;
let port: number;

async function start(upstreams: readonly Upstream[] = []): Promise<ClusterDns> {
  const controller = new AbortController();
  const dns = newClusterDns({
    client: noClient,
    informers: state.informers,
    clock: realClock,
    random: newSeededRandom(1),
    listen: [{ address: '127.0.0.1', port: 0 }],
    upstreams,
    ownRanges: ['10.96.0.0/12', '10.244.0.0/16'],
    nodeName: 'n1',
  });
  const running = dns.run(controller.signal);
  await dns.ready;
  stop = async () => {
    controller.abort();
    await running;
  };
  port = dns.addresses()[0]?.port ?? 0;
  return dns;
}

beforeEach(async () => {
  state = newTestState();
  state.put(namespace('default'));
  state.put(
    service('web', {
      clusterIP: '10.96.1.1',
      clusterIPs: ['10.96.1.1', 'fd00::1:1'],
      ports: [
        { name: 'http', port: 80 },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
    }),
  );
  state.put(service('db', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'pg', port: 5432 }] }));
  state.put(
    slice(
      'db',
      [
        { addresses: ['10.244.0.5'], hostname: 'db-0' },
        { addresses: ['10.244.0.6'], conditions: { ready: true } },
        { addresses: ['10.244.0.7'], conditions: { ready: false } },
      ],
      [{ name: 'pg', port: 5432, protocol: 'TCP' }],
    ),
  );
  state.put(service('lonely', { clusterIP: 'None', clusterIPs: ['None'] }));
  state.put(service('portless', { clusterIP: 'None', clusterIPs: ['None'] }));
  state.put(slice('portless', [{ addresses: ['10.244.0.9'] }]));
  state.put(service('ext', { type: 'ExternalName', externalName: 'foo.example.com.' }));
  state.put(service('inner', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' }));
  state.put(service('loop', { type: 'ExternalName', externalName: 'loop.default.svc.cluster.local' }));
  state.sync();
  await start();
});
afterEach(() => stop());

const local = 'default.svc.cluster.local';

describe('names of the cluster', () => {
  test.each([
    [`web.${local}`, 'A', 'NOERROR', [`web.${local} A 10.96.1.1`]],
    [`web.${local}`, 'AAAA', 'NOERROR', [`web.${local} AAAA fd00::1:1`]],
    [`WeB.${local}`, 'A', 'NOERROR', [`WeB.${local} A 10.96.1.1`]],
    [`web.${local}`, 'TXT', 'NOERROR', []],
    [`_http._tcp.web.${local}`, 'SRV', 'NOERROR', [`_http._tcp.web.${local} SRV 0 100 80 web.${local}`]],
    [`_http._udp.web.${local}`, 'SRV', 'NXDOMAIN', []],
    [`_tcp.web.${local}`, 'A', 'NOERROR', []],
    [`web.${local}`, 'SRV', 'NOERROR', [`web.${local} SRV 0 50 53 web.${local}`, `web.${local} SRV 0 50 80 web.${local}`]],
    [`db.${local}`, 'A', 'NOERROR', [`db.${local} A 10.244.0.5`, `db.${local} A 10.244.0.6`]],
    [`db.${local}`, 'AAAA', 'NOERROR', []],
    [`db-0.db.${local}`, 'A', 'NOERROR', [`db-0.db.${local} A 10.244.0.5`]],
    [`10-244-0-6.db.${local}`, 'A', 'NOERROR', [`10-244-0-6.db.${local} A 10.244.0.6`]],
    [`10-244-0-5.db.${local}`, 'A', 'NXDOMAIN', []],
    [
      `_pg._tcp.db.${local}`,
      'SRV',
      'NOERROR',
      [`_pg._tcp.db.${local} SRV 0 50 5432 10-244-0-6.db.${local}`, `_pg._tcp.db.${local} SRV 0 50 5432 db-0.db.${local}`],
    ],
    [`portless.${local}`, 'A', 'NOERROR', [`portless.${local} A 10.244.0.9`]],
    [`lonely.${local}`, 'A', 'NXDOMAIN', []],
    [`nothing.${local}`, 'A', 'NXDOMAIN', []],
    ['web.other.svc.cluster.local', 'A', 'NXDOMAIN', []],
    ['example.com.default.svc.cluster.local', 'A', 'NXDOMAIN', []],
    ['default.svc.cluster.local', 'A', 'NOERROR', []],
    ['other.svc.cluster.local', 'A', 'NXDOMAIN', []],
    ['svc.cluster.local', 'A', 'NOERROR', []],
    ['cluster.local', 'A', 'NOERROR', []],
    ['google.cluster.local', 'A', 'NXDOMAIN', []],
    ['cluster.local', 'NS', 'NOERROR', ['cluster.local NS ns.dns.cluster.local']],
    ['cluster.local', 'SOA', 'NOERROR', ['cluster.local SOA ns.dns.cluster.local 5']],
    ['ns.dns.cluster.local', 'A', 'NOERROR', ['ns.dns.cluster.local A 127.0.0.1']],
    ['dns-version.cluster.local', 'TXT', 'NOERROR', ['dns-version.cluster.local TXT 1.1.0']],
    ['10-244-0-5.default.pod.cluster.local', 'A', 'NOERROR', ['10-244-0-5.default.pod.cluster.local A 10.244.0.5']],
    ['fd00--1.default.pod.cluster.local', 'AAAA', 'NOERROR', ['fd00--1.default.pod.cluster.local AAAA fd00::1']],
    ['fd00--1.default.pod.cluster.local', 'A', 'NOERROR', []],
    ['web.default.pod.cluster.local', 'A', 'NXDOMAIN', []],
    ['10-244-0-5.other.pod.cluster.local', 'A', 'NXDOMAIN', []],
    [`ext.${local}`, 'CNAME', 'NOERROR', [`ext.${local} CNAME foo.example.com`]],
    [`ext.${local}`, 'A', 'SERVFAIL', [`ext.${local} CNAME foo.example.com`]],
    [`inner.${local}`, 'A', 'NOERROR', [`inner.${local} CNAME web.${local}`, `web.${local} A 10.96.1.1`]],
    [`loop.${local}`, 'A', 'SERVFAIL', []],
    ['1.1.96.10.in-addr.arpa', 'PTR', 'NOERROR', [`1.1.96.10.in-addr.arpa PTR web.${local}`]],
    ['1.1.96.10.in-addr.arpa', 'A', 'NOERROR', []],
    ['5.0.244.10.in-addr.arpa', 'PTR', 'NOERROR', [`5.0.244.10.in-addr.arpa PTR db-0.db.${local}`]],
    ['6.0.244.10.in-addr.arpa', 'PTR', 'NXDOMAIN', []],
    ['1.0.0.127.in-addr.arpa', 'PTR', 'SERVFAIL', []],
    ['example.com', 'A', 'SERVFAIL', []],
    [`web.${local}`, 'AXFR', 'REFUSED', []],
  ])('%s %s: %s', async (name, type, code, answers) => {
    const reply = await ask(name, type, { port });
    expect(reply.rcode).toBe(code);
    expect(lines(reply.answers)).toEqual([...answers].sort());
    const ours = code === 'NOERROR' || code === 'NXDOMAIN';
    if (ours) expect(reply.flag_aa).toBe(true);
    expect(reply.authorities?.map(({ type: kind }) => kind)).toEqual(ours && answers.length === 0 ? ['SOA'] : []);
  });

  test('targets of SRV come with their addresses', async () => {
    const reply = await ask(`_pg._tcp.db.${local}`, 'SRV', { port });
    expect(lines(reply.additionals)).toEqual([`10-244-0-6.db.${local} A 10.244.0.6`, `db-0.db.${local} A 10.244.0.5`]);
  });

  test('a change is seen by the next question', async () => {
    state.put(slice('db', [{ addresses: ['10.244.0.8'], hostname: 'db-0' }]));
    expect(lines((await ask(`db.${local}`, 'A', { port })).answers)).toEqual([`db.${local} A 10.244.0.8`]);
    expect((await ask('5.0.244.10.in-addr.arpa', 'PTR', { port })).rcode).toBe('NXDOMAIN');
    state.remove(service('db', {}));
    expect((await ask(`db.${local}`, 'A', { port })).rcode).toBe('NXDOMAIN');
  });

  test('before the state is known: SERVFAIL, never NXDOMAIN', async () => {
    await stop();
    state = newTestState();
    await start();
    expect((await ask(`nothing.${local}`, 'A', { port })).rcode).toBe('SERVFAIL');
    expect((await ask('9.0.244.10.in-addr.arpa', 'PTR', { port })).rcode).toBe('SERVFAIL');
  });
});

describe('sizes', () => {
  const many = Array.from({ length: 200 }, (_, index) => `10.244.1.${index}`);
  beforeEach(() => {
    state.put(service('many', { clusterIP: 'None', clusterIPs: ['None'] }));
    state.put(
      slice(
        'many',
        many.map((address) => ({ addresses: [address] })),
      ),
    );
  });
  test.each([
    ['without EDNS', {}, 512, true],
    ['with little EDNS', { udpBytes: 100 }, 512, true],
    ['with much EDNS', { udpBytes: 65_000 }, 1232, true],
    ['over TCP', { over: 'tcp' as const }, 65_535, false],
  ])('%s', async (_, options, limit, truncated) => {
    const reply = await ask(`many.${local}`, 'A', { port, ...options });
    expect(reply.bytes).toBeLessThanOrEqual(limit);
    expect(reply.flag_tc).toBe(truncated);
    expect((reply.answers ?? []).length).toBeGreaterThan(25);
    if (!truncated) expect(lines(reply.answers).length).toBe(200);
  });

  test('answers come in another order each time', async () => {
    const first = await ask(`many.${local}`, 'A', { port, over: 'tcp' });
    const second = await ask(`many.${local}`, 'A', { port, over: 'tcp' });
    expect(first.answers).not.toEqual(second.answers);
  });
});

describe('the protocol', () => {
  test('another version of EDNS: BADVERS', async () => {
    const query = Buffer.from(
      encode({
        type: 'query',
        id: 1,
        questions: [{ type: 'A', name: 'a.' }],
        additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, ednsVersion: 3, options: [] } as never],
      }),
    );
    const reply = decode(await overUdp(query, port));
    expect(reply.additionals?.[0]).toMatchObject({ type: 'OPT', extendedRcode: 1 });
  });
  test('an opcode that is no query: NOTIMP; two questions: FORMERR', async () => {
    const update = Buffer.from(encode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'a.' }] }));
    update[2] = 5 << 3;
    expect((await overUdp(update, port)).readUInt16BE(2) & 15).toBe(4);
    const two = Buffer.from(
      encode({
        type: 'query',
        id: 1,
        questions: [
          { type: 'A', name: 'a.' },
          { type: 'A', name: 'b.' },
        ],
      }),
    );
    expect((await overUdp(two, port)).readUInt16BE(2) & 15).toBe(1);
  });
  test('no message, however broken, ends it', async () => {
    const good = Buffer.from(encode({ type: 'query', id: 1, questions: [{ type: 'SRV', name: `_pg._tcp.db.${local}` }] }));
    const socket = createSocket('udp4');
    const send = (bytes: Uint8Array) => new Promise<void>((resolve) => socket.send(bytes, port, '127.0.0.1', () => resolve()));
    const cut = fc.nat(good.length).map((end) => good.subarray(0, end));
    const flipped = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
      const copy = Buffer.from(good);
      copy[at] = byte;
      return copy;
    });
    await fc.assert(fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 600 }), cut, flipped), send), { numRuns: 2000 });
    socket.close();
    expect((await ask(`web.${local}`, 'A', { port })).rcode).toBe('NOERROR');
  });
  test("Node's own resolver understands it", async () => {
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${port}`]);
    expect((await resolver.resolve4(`db.${local}`)).sort()).toEqual(['10.244.0.5', '10.244.0.6']);
    expect(await resolver.resolveSrv(`_http._tcp.web.${local}`)).toMatchObject([{ port: 80, name: `web.${local}` }]);
    expect(await resolver.reverse('10.96.1.1')).toEqual([`web.${local}`]);
    await expect(resolver.resolve4(`nothing.${local}`)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolver.resolve4(`_tcp.web.${local}`)).rejects.toMatchObject({ code: 'ENODATA' });
  });
});

describe('other names', () => {
  /** A server that answers all by one address. */
  async function withUpstream(run: (asked: string[]) => Promise<void>, respond: (name: string) => object = () => ({})): Promise<void> {
    const asked: string[] = [];
    const socket = createSocket('udp4');
    socket.on('message', (message, client) => {
      const query = decode(message);
      const name = query.questions?.[0]?.name ?? '';
      asked.push(name);
      const answers = [{ type: 'A' as const, name, ttl: 300, data: '192.0.2.1' }];
      socket.send(
        encode({ type: 'response', id: query.id ?? 0, flags: 0x180, questions: query.questions ?? [], answers, ...respond(name) }),
        client.port,
        client.address,
      );
    });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    try {
      await stop();
      await start([{ address: '127.0.0.1', port: socket.address().port }]);
      await run(asked);
    } finally {
      socket.close();
    }
  }

  test('are asked for elsewhere, once for many', async () => {
    await withUpstream(async (asked) => {
      const replies = await Promise.all(
        Array.from({ length: 20 }, (_, index) => ask(index % 2 ? 'Example.com' : 'example.COM', 'A', { port, udpBytes: 1232 })),
      );
      expect(lines(replies[1]?.answers)).toEqual(['example.com A 192.0.2.1']);
      expect(replies[0]?.questions?.[0]?.name).toBe('example.COM');
      expect(replies[0]?.flag_aa).toBe(false);
      const kept = await ask('example.com', 'A', { port });
      expect((kept.answers ?? []).map((record) => 'ttl' in record && (record.ttl ?? 0) <= 30)).toEqual([true]);
      expect(kept.additionals).toEqual([]);
      expect(asked).toEqual(['example.com']);
    });
  });

  test('behind an alias of the cluster', async () => {
    await withUpstream(async () => {
      const reply = await ask(`ext.${local}`, 'A', { port });
      expect(lines(reply.answers)).toEqual([`ext.${local} CNAME foo.example.com`, 'foo.example.com A 192.0.2.1']);
      expect(reply.rcode).toBe('NOERROR');
    });
  });

  test('that do not exist, also behind an alias', async () => {
    await withUpstream(
      async () => {
        expect((await ask('nothing.example.com', 'A', { port })).rcode).toBe('NXDOMAIN');
        expect((await ask(`ext.${local}`, 'A', { port })).rcode).toBe('NXDOMAIN');
      },
      () => ({ flags: 0x183, answers: [] }),
    );
  });
});
