import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from '@orrery/api/networking/v1';
import { describe, expect, test } from 'vitest';
import { validateNetworkPolicy } from './validation.ts';

const policy = (spec: Partial<NetworkPolicySpec>): NetworkPolicy => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'p', namespace: 'default', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { podSelector: {}, policyTypes: ['Ingress'], ...spec },
});
const port = (value: NetworkPolicyPort): NetworkPolicy => policy({ ingress: [{ ports: [value] }] });
const peer = (value: NetworkPolicyPeer): NetworkPolicy => policy({ egress: [{ to: [value] }] });
const texts = (object: NetworkPolicy, old?: NetworkPolicy): string[] =>
  validateNetworkPolicy(object, old).map(({ field, message }) => `${field}: ${message.split(': ').at(-1)}`);

describe('a network policy', () => {
  test.each<[string, NetworkPolicy, string[]]>([
    ['is taken with a range of ports', port({ protocol: 'SCTP', port: 80, endPort: 90 }), []],
    ['names a port', port({ port: 'http' }), []],
    [
      'has an end without a port',
      port({ endPort: 90 }),
      ['spec.ingress[0].ports[0].endPort: may not be specified when `port` is not specified'],
    ],
    [
      'has an end of a name',
      port({ port: 'a', endPort: 90 }),
      ['spec.ingress[0].ports[0].endPort: may not be specified when `port` is non-numeric'],
    ],
    [
      'ends before it begins',
      port({ port: 80, endPort: 79 }),
      ['spec.ingress[0].ports[0].endPort: must be greater than or equal to `port`'],
    ],
    ['has a port out of range', port({ port: 0 }), ['spec.ingress[0].ports[0].port: must be between 1 and 65535, inclusive']],
    ['names nobody', peer({}), ['spec.egress[0].to[0]: must specify a peer']],
    [
      'names addresses and pods',
      peer({ ipBlock: { cidr: '10.0.0.0/8' }, podSelector: {} }),
      ['spec.egress[0].to[0]: may not specify both ipBlock and another peer'],
    ],
    [
      'excepts more than it names',
      peer({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '10.0.0.0/8', '11.0.0.0/16'] } }),
      ['spec.egress[0].to[0].ipBlock.except[1]', 'spec.egress[0].to[0].ipBlock.except[2]'].map(
        (path) => `${path}: must be a strict subset of \`cidr\``,
      ),
    ],
    [
      'has three types',
      policy({ policyTypes: ['Ingress', 'Egress', 'Ingress'] }),
      ['spec.policyTypes: may not specify more than two policyTypes'],
    ],
  ])('%s', (_, object, expected) => {
    expect(texts(object)).toEqual(expected);
  });

  test('may keep a CIDR that would be refused today', () => {
    const old = peer({ ipBlock: { cidr: '010.0.0.0/8' } });
    expect(texts(old)).toHaveLength(1);
    expect(texts(old, old)).toEqual([]);
  });
});
