import { isRuntimeError } from '@orrery/cri';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import { newPlanner } from './plan.ts';
import { criTable } from './table.ts';

const planner = newPlanner(criTable());
const through = (message: string, value: object): unknown =>
  decodeMessage(planner.plan(message), encodeMessage(planner.plan(message), value));

describe('the wire form of CRI', () => {
  test('bytes are those of protobuf: text, map, nested enum, packed numbers', () => {
    const value = {
      linux: { securityContext: { supplementalGroups: [1, 300], seccomp: { profileType: 'Unconfined' } } },
      labels: { a: 'b' },
    };
    const hex = encodeMessage(planner.plan('PodSandboxConfig'), value).toString('hex');
    expect(hex).toBe('32060a016112016242' + '0b' + '1209' + '2a0301ac02' + '4a020801');
  });

  const cases = [
    { name: 'a negative number', message: 'Int64Value', value: { value: -1 } },
    { name: 'more than 32 bits', message: 'Int64Value', value: { value: 2 ** 40 + 1 } },
    { name: 'the whole range of uint32', message: 'IDMapping', value: { hostId: 4_294_967_295, containerId: 0, length: 65_536 } },
    { name: 'a fraction', message: 'PsiData', value: { Total: 1, Avg10: 0.25, Avg60: 0, Avg300: -3.5 } },
    { name: 'bytes', message: 'KeyValue', value: { key: 'k', value: Buffer.from([0, 255]) } },
    {
      name: 'a key that objects have already',
      message: 'ContainerAttributes',
      value: { labels: JSON.parse('{"__proto__":"x"}') as object },
    },
  ];
  for (const { name, message, value } of cases) test(`${name} survives`, () => expect(through(message, value)).toEqual(value));

  test('zeros are told, texts and lists are absent', () => {
    expect(through('ContainerStatus', {})).toEqual({
      state: 'CONTAINER_CREATED',
      createdAt: 0,
      startedAt: 0,
      finishedAt: 0,
      exitCode: 0,
      stopSignal: 'RUNTIME_DEFAULT',
    });
  });

  test('numbers that come one by one are a list too', () => {
    expect(decodeMessage(planner.plan('PortForwardRequest'), Buffer.from('100110ac02', 'hex'))).toEqual({ port: [1, 300] });
  });

  test('a wrong type is refused by its field', () => {
    expect(() => encodeMessage(planner.plan('Mount'), { hostPath: 3 })).toThrow('hostPath: must be a string');
    expect(() => encodeMessage(planner.plan('Mount'), { propagation: 'SIDEWAYS' })).toThrow('propagation: must be one of');
  });

  test('whatever the bytes, a message or a RuntimeError comes out', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          return typeof decodeMessage(planner.plan('ListContainersResponse'), Buffer.from(bytes)) === 'object';
        } catch (err) {
          return isRuntimeError(err);
        }
      }),
    );
  });

  test('every message of CRI has a plan', () => {
    for (const message of Object.keys(criTable().messages)) {
      for (const { value } of planner.plan(message).fields) if (value.kind === 'message') value.message();
    }
  });
});
