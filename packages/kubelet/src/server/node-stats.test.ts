import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { networkStats, nodeStats, pageFaults } from './node-stats.ts';

const devices = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0
  br0: 10 1 2 0 0 0 0 0 30 1 4 0 0 0 0 0
  eth0:100 1 3 0 0 0 0 0 300 1 5 0 0 0 0 0
`;
const routes = `Iface\tDestination\tGateway
br0\t0000F40A\t00000000
eth0\t00000000\t0100A8C0
`;

test('the interface of the default route stands for the node', () => {
  const [bridge, outside] = [
    { name: 'br0', rxBytes: 10, rxErrors: 2, txBytes: 30, txErrors: 4 },
    { name: 'eth0', rxBytes: 100, rxErrors: 3, txBytes: 300, txErrors: 5 },
  ];
  expect(networkStats(devices, routes, 't')).toEqual({ time: 't', ...outside, interfaces: [bridge, outside] });
  expect(networkStats(devices, '', 't')).toMatchObject(bridge);
  expect(networkStats('', '', 't')).toEqual({ time: 't', interfaces: [] });
});

test('the machine tells of itself', async () => {
  const amount = expect.any(Number);
  expect(await nodeStats(tmpdir(), tmpdir(), Date.parse('2030-01-01T00:00:00Z'))).toMatchObject({
    startTime: expect.stringMatching(/Z$/),
    fs: { availableBytes: amount, capacityBytes: amount, usedBytes: amount, inodes: amount },
    runtime: { imageFs: { capacityBytes: amount } },
    rlimit: { maxpid: amount, curproc: amount },
  });
  expect((await pageFaults()).pageFaults).toBeGreaterThan(0);
});
