import { describe, expect, test } from 'vitest';
import { isCidr, isCidrForLegacyField, isIp, isIpForLegacyField } from './addresses.ts';
import {
  isCIdentifier,
  isConfigMapKey,
  isEnvVarName,
  isHttpHeaderName,
  isPercent,
  isPortName,
  isPortNumber,
  isRelaxedEnvVarName,
} from './identifiers.ts';
import {
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
  isWildcardDns1123Subdomain,
} from './names.ts';
import { nameIsDnsSubdomain, nameIsPathSegment } from './object-name.ts';

const long = (length: number): string => 'a'.repeat(length);

describe('what is accepted', () => {
  const cases: readonly (readonly [(value: string) => string[], readonly string[]])[] = [
    [isDns1123Label, ['a', '0', 'a-1', long(63)]],
    [isDns1123Subdomain, ['a', 'a.b', '1.2-3.c', long(253)]],
    [isDns1035Label, ['a', 'a1', 'a-1']],
    [isWildcardDns1123Subdomain, ['*.a', '*.a.b']],
    [isQualifiedName, ['a', 'A_b.c', 'example.com/x', '1.2/3', `${long(253)}/${long(63)}`]],
    [isValidLabelValue, ['', 'a', 'A-b_c.d', long(63)]],
    [isConfigMapKey, ['a.b', '.a', 'A_B-c', '...a'.slice(2)]],
    [isEnvVarName, ['A', '_a', 'a.b-c']],
    [isRelaxedEnvVarName, ['1', 'a b', '..', '~']],
    [isPortName, ['http', 'a-1', long(15)]],
    [isCIdentifier, ['_a1', 'A']],
    [isHttpHeaderName, ['X-A']],
    [isPercent, ['0%', '150%']],
    [isIp, ['1.2.3.4', '::', '::1', '2001:db8::ffff', 'fe80::1:0:0:1', '1:2:3:4:5:6:7:8']],
    [isIpForLegacyField, ['2001:DB8::1', '0:0::1']],
    [isCidr, ['10.0.0.0/8', '0.0.0.0/0', '::/0', '2001:db8::/64', '1.2.3.4/32']],
  ];
  for (const [check, values] of cases)
    for (const value of values) test(`${check.name} '${value.slice(0, 20)}'`, () => expect(check(value)).toEqual([]));
});

describe('what is refused, and the words', () => {
  const cases: readonly (readonly [(value: string) => string[], string, readonly string[]])[] = [
    [isDns1123Label, 'a.b', ['must not contain dots']],
    [isDns1123Label, long(64), ['must be no more than 63 characters']],
    [
      isDns1123Label,
      'A',
      [
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
    [
      isDns1123Subdomain,
      'a_b',
      [
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    ],
    [
      isQualifiedName,
      '/',
      [
        'prefix part must be non-empty',
        'name part must be non-empty',
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      ],
    ],
    [isQualifiedName, long(64), ['name part must be no more than 63 bytes']],
    [isValidLabelValue, long(64), ['must be no more than 63 bytes']],
    [isConfigMapKey, '..', ["must not be '..'"]],
    [isConfigMapKey, '..a', ["must not start with '..'"]],
    [isPortName, '-', ['must contain at least one letter (a-z)', 'must not begin or end with a hyphen']],
    [isRelaxedEnvVarName, '', ['environment variable name must be non-empty']],
    [isRelaxedEnvVarName, 'a=b', ["a valid environment variable name must consist only of printable ASCII characters other than '='"]],
    [isIp, '1.2.3', ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
    [isIp, '1.2.3.04', ['must not have leading 0s']],
    [isIp, '::ffff:1.2.3.4', ['must not be an IPv4-mapped IPv6 address']],
    [isIp, '2001:DB8::1', ['must be in canonical form ("2001:db8::1")']],
    [isIp, 'fe80::1%eth0', ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
    [isIp, '1::2::3', ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
    [isCidr, '10.0.0.0', ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']],
    [isCidr, '10.0.0.0/33', ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']],
    [isCidr, '10.0.0.1/8', ['must not have bits set beyond the prefix length']],
    [isCidrForLegacyField, '10.0.0.0/08', ['must not have leading 0s in IP or prefix length']],
    [isCidr, '2001:DB8::/64', ['must be in canonical form ("2001:db8::/64")']],
  ];
  for (const [check, value, want] of cases) test(`${check.name} '${value.slice(0, 20)}'`, () => expect(check(value)).toEqual(want));

  test('a long value is refused in linear time', () => {
    expect(isDns1123Subdomain(`${'a-'.repeat(200_000)}!`)).toHaveLength(2);
    expect(isQualifiedName(`${'a.'.repeat(200_000)}!`)).toHaveLength(2);
  });

  test('ranges and prefixes', () => {
    expect(isPortNumber(0)).toEqual(['must be between 1 and 65535, inclusive']);
    expect(nameIsDnsSubdomain('web-', true)).toEqual([]);
    expect(nameIsDnsSubdomain('web-', false)).toHaveLength(1);
    expect(nameIsPathSegment('system:a%/', false)).toEqual(["may not contain '/'", "may not contain '%'"]);
    expect(nameIsPathSegment('..', false)).toEqual(["may not be '..'"]);
  });
});
