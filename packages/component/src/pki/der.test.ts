import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bitString, context, objectIdentifier, octetString, readValues, sequence, time, unsignedInteger } from './der.ts';
import { ipBytes } from './ip-bytes.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('distinguished encoding', () => {
  test.each([
    ['zero', unsignedInteger(Uint8Array.of(0, 0)), '020100'],
    ['a number without leading zeros', unsignedInteger(Uint8Array.of(0, 0, 5)), '020105'],
    ['a number whose first bit is set stays positive', unsignedInteger(Uint8Array.of(0x80)), '02020080'],
    ['arcs of one and of more bytes', objectIdentifier('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
    ['bits with a rest', bitString(Uint8Array.of(0xa0), 5), '030205a0'],
    ['an empty sequence', sequence(), '3000'],
    ['a tag of the context', context(3, Uint8Array.of(1), true), 'a30101'],
    ['the last second of UTCTime', time(Date.UTC(2049, 11, 31, 23, 59, 59, 999)), `170d${hex(Buffer.from('491231235959Z'))}`],
    ['the first second of GeneralizedTime', time(Date.UTC(2050, 0, 1)), `180f${hex(Buffer.from('20500101000000Z'))}`],
  ])('%s', (_condition, encoded, expected) => {
    expect(hex(encoded)).toBe(expected);
  });

  test('what is encoded reads back, whatever its length', () => {
    const lengths = fc.constantFrom(0, 1, 127, 128, 255, 256, 65_535, 65_536);
    fc.assert(
      fc.property(fc.array(lengths, { maxLength: 4 }), (sizes) => {
        const values = readValues(
          readValues(sequence(...sizes.map((size) => octetString(new Uint8Array(size).fill(7)))))[0]?.content ?? Buffer.of(0),
        );
        expect(values.map(({ tag, content }) => [tag, content.length])).toEqual(sizes.map((size) => [4, size]));
      }),
    );
  });

  test('a value that is cut off is an error', () => {
    expect(() => readValues(Uint8Array.of(0x30, 0x05, 1))).toThrow(RangeError);
  });
});

describe('addresses', () => {
  test.each([
    ['127.0.0.1', '7f000001'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['fd00::7:1', 'fd000000000000000000000000070001'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['::ffff:10.1.2.3', '00000000000000000000ffff0a010203'],
  ])('%s', (address, expected) => {
    expect(hex(ipBytes(address))).toBe(expected);
  });

  test.each(['', 'localhost', '1.2.3', 'fe80::1%eth0'])('%s is none', (text) => {
    expect(() => ipBytes(text)).toThrow('not an IP address');
  });
});
