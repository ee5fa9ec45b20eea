import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isStatusError } from '../errors/status-error.ts';
import {
  addQuantity,
  canonicalQuantity,
  compareQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
  subQuantity,
} from './quantity.ts';

describe('canonicalQuantity', () => {
  const cases = [
    ['0', '0'],
    ['0n', '0'],
    ['000', '0'],
    ['0Ki', '0'],
    ['100m', '100m'],
    ['1500m', '1500m'],
    ['0.5', '500m'],
    ['1', '1'],
    ['1000m', '1'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['1Gi', '1Gi'],
    ['1000k', '1M'],
    ['1e3', '1e3'],
    ['1E3', '1E3'],
    ['12e6', '12e6'],
    ['1e4', '10e3'],
    ['1000e3', '1e6'],
    ['0.1n', '1n'],
    ['1e-12', '1e-9'],
    ['-0.1n', '-1n'],
    ['0.5Ki', '512'],
    ['1.1Ki', '1126400m'],
    ['100Ki', '100Ki'],
    ['8Ki', '8Ki'],
    ['9999999999999999999Ei', '9223372036854775807'],
    ['0.0001Ki', '102400u'],
    ['1.', '1.'],
    ['.5', '500m'],
    ['1.250', '1.250'],
    ['+5', '+5'],
    ['-2Gi', '-2Gi'],
    ['1000E', '1000E'],
    ['512Mi', '512Mi'],
    ['1234567', '1234567'],
    ['2.5', '2500m'],
    ['0.10', '100m'],
    ['-1.5', '-1500m'],
    ['3e0', '3e0'],
    ['1u', '1u'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
  ] as const;
  for (const [text, want] of cases) test(text, () => expect(canonicalQuantity(text)).toBe(want));

  const bad = [
    ['', "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    ['aoeu', "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    ['1.1.M', 'quantities must match'],
    ['1+1.0M', 'quantities must match'],
    [' 1', 'quantities must match'],
    ['1 ', 'quantities must match'],
    ['1i', "unable to parse quantity's suffix"],
    ['0.1mi', "unable to parse quantity's suffix"],
    ['-3.01e-', "unable to parse quantity's suffix"],
    ['1e', "unable to parse quantity's suffix"],
    ['1KiB', 'quantities must match'],
    ['1e999999999', "unable to parse quantity's suffix"],
  ] as const;
  for (const [text, message] of bad) test(`refuses '${text}'`, () => expect(() => parseQuantity(text)).toThrow(message));
});

test('values are rounded away from zero', () => {
  expect([quantityValue('1.1'), quantityValue('-1.1'), quantityValue('1Ki'), quantityValue('1n'), quantityValue('2')]).toEqual([
    2, -2, 1024, 1, 2,
  ]);
  expect([quantityMilliValue('1'), quantityMilliValue('100m'), quantityMilliValue('1n'), quantityMilliValue('0.1004')]).toEqual([
    1000, 100, 1, 101,
  ]);
});

test('sums keep the format of the left side, unless it is zero', () => {
  expect(addQuantity('0', '1Gi')).toBe('1Gi');
  expect(addQuantity('1Gi', '1G')).toBe('2073741824');
  expect(addQuantity('100m', '900m')).toBe('1');
  expect(subQuantity('1Gi', '512Mi')).toBe('512Mi');
  expect(subQuantity('100m', '1')).toBe('-900m');
  expect(compareQuantity('1Gi', '1G')).toBe(1);
  expect(compareQuantity('1000m', '1')).toBe(0);
});

describe('laws', () => {
  const unit = fc.constantFrom('', 'm', 'u', 'n', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'e-3');
  const amount = fc.tuple(fc.bigInt(-(10n ** 12n), 10n ** 12n), fc.option(fc.nat(999)), unit);
  const text = amount.map(([whole, fraction, suffix]) => `${whole}${fraction === null ? '' : `.${fraction}`}${suffix}`);

  test('canonical text reads as the same amount, and is its own canonical text', () => {
    fc.assert(
      fc.property(text, (written) => {
        const canonical = canonicalQuantity(written);
        expect(parseQuantity(canonical).nano).toBe(parseQuantity(written).nano);
        expect(canonicalQuantity(canonical)).toBe(canonical);
      }),
    );
  });

  test('sums are exact and differences undo them', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(parseQuantity(addQuantity(a, b)).nano).toBe(parseQuantity(a).nano + parseQuantity(b).nano);
        expect(compareQuantity(subQuantity(addQuantity(a, b), b), a)).toBe(0);
      }),
    );
  });

  test('no text throws anything but a Status', () => {
    const piece = fc.constantFrom('1', '0', '9', '.', 'e', 'E', 'Ki', 'm', '-', '+', 'i', ' ', '9'.repeat(30));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (hostile) => {
          try {
            expect(parseQuantity(hostile).text.length).toBeLessThan(2100);
          } catch (error) {
            expect(isStatusError(error)).toBe(true);
          }
        },
      ),
    );
  });
});
