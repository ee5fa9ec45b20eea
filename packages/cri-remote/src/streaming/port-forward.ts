import type { Readable, Writable } from 'node:stream';
import { abortable } from '@orrery/base';
import { RuntimeError } from '@orrery/cri';
import { pumpInto, sinkTo } from './pump.ts';
import { newSpdyConnection, type SpdyConnection } from './spdy-connection.ts';
import { upgradeToSpdy } from './upgrade.ts';

const PROTOCOL = 'portforward.k8s.io';

/** Joins `ends` to a port of a pod, behind a runtime's URL for it, until the pod's side ends. @throws {RuntimeError} in the runtime's words. */
export async function forwardRemotePort(
  url: URL,
  port: number,
  ends: { readonly readable: Readable; readonly writable: Writable },
  signal: AbortSignal,
): Promise<void> {
  const connection = newSpdyConnection(await upgradeToSpdy(url, PROTOCOL, signal));
  try {
    await abortable(join(connection, port, ends), signal);
  } finally {
    connection.close();
    await connection.closed;
  }
}

async function join(connection: SpdyConnection, port: number, ends: { readonly readable: Readable; readonly writable: Writable }) {
  let problem = '';
  const headers = { port: String(port), requestid: '0' };
  const failure = await connection.open({ ...headers, streamtype: 'error' }, (data) => {
    problem += data.toString();
  });
  failure.end();
  const data = await connection.open({ ...headers, streamtype: 'data' }, sinkTo(ends.writable));
  const stop = pumpInto(data, ends.readable, connection);
  const gone = new Promise<void>((resolve) => ends.writable.once('close', resolve)); // Nobody hears the pod any more.
  try {
    await Promise.race([Promise.all([data.ended, failure.ended]), gone]);
  } finally {
    stop();
  }
  if (problem !== '') throw new RuntimeError('INTERNAL', problem);
  ends.writable.end();
}
