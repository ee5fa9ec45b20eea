import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '@orrery/api/networking/v1';
import {
  type FieldError,
  forbidden,
  invalid,
  isCidrForLegacyField,
  isPortName,
  isPortNumber,
  notSupported,
  parseCidr,
  parseRange,
  required,
  validateLabelSelector,
} from '@orrery/apimachinery';
import { each } from '../../validate.ts';

const protocols = ['TCP', 'UDP', 'SCTP'];
const policyTypes = ['Ingress', 'Egress'];

const blocksOf = (peers: readonly NetworkPolicyPeer[] | undefined): string[] =>
  (peers ?? []).flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : [ipBlock.cidr ?? '', ...(ipBlock.except ?? [])]));

/** What the old object holds may stay, also where it would be refused today. */
const knownCidrs = ({ spec }: NetworkPolicy): string[] => [
  ...(spec.ingress ?? []).flatMap(({ from }) => blocksOf(from)),
  ...(spec.egress ?? []).flatMap(({ to }) => blocksOf(to)),
];

/** Source: ValidateNetworkPolicy, ValidateNetworkPolicyUpdate. */
export function validateNetworkPolicy({ spec }: NetworkPolicy, old?: NetworkPolicy): FieldError[] {
  const known = new Set(old === undefined ? [] : knownCidrs(old));
  const peer = (item: NetworkPolicyPeer, field: string): FieldError[] => validatePeer(item, field, known);
  const errors = [
    ...validateLabelSelector(spec.podSelector ?? {}, 'spec.podSelector'),
    ...each('spec.ingress', spec.ingress, ({ ports, from }, field) => [
      ...each(`${field}.ports`, ports, validatePort),
      ...each(`${field}.from`, from, peer),
    ]),
    ...each('spec.egress', spec.egress, ({ ports, to }, field) => [
      ...each(`${field}.ports`, ports, validatePort),
      ...each(`${field}.to`, to, peer),
    ]),
  ];
  const types = spec.policyTypes ?? [];
  if (types.length > policyTypes.length) {
    return [...errors, invalid('spec.policyTypes', types, 'may not specify more than two policyTypes')];
  }
  const typeErrors = each('spec.policyTypes', types, (type, field) =>
    policyTypes.includes(type) ? [] : [notSupported(field, type, policyTypes)],
  );
  return [...errors, ...typeErrors];
}

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const wrongEnd = (reason: string): FieldError => invalid(`${field}.endPort`, endPort, reason);
  if (protocol !== undefined && !protocols.includes(protocol)) errors.push(notSupported(`${field}.protocol`, protocol, protocols));
  if (port === undefined) {
    if (endPort !== undefined) errors.push(wrongEnd('may not be specified when `port` is not specified'));
  } else if (typeof port === 'number') {
    errors.push(...isPortNumber(port).map((reason) => invalid(`${field}.port`, port, reason)));
    if (endPort !== undefined && endPort < port) errors.push(wrongEnd('must be greater than or equal to `port`'));
    if (endPort !== undefined) errors.push(...isPortNumber(endPort).map(wrongEnd));
  } else {
    if (endPort !== undefined) errors.push(wrongEnd('may not be specified when `port` is non-numeric'));
    errors.push(...isPortName(port).map((reason) => invalid(`${field}.port`, port, reason)));
  }
  return errors;
}

function validatePeer(peer: NetworkPolicyPeer, field: string, known: ReadonlySet<string>): FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  const errors = [
    ...(podSelector === undefined ? [] : validateLabelSelector(podSelector, `${field}.podSelector`)),
    ...(namespaceSelector === undefined ? [] : validateLabelSelector(namespaceSelector, `${field}.namespaceSelector`)),
    ...(ipBlock === undefined ? [] : validateIpBlock(ipBlock, `${field}.ipBlock`, known)),
  ];
  const count = [podSelector, namespaceSelector, ipBlock].filter((part) => part !== undefined).length;
  if (count === 0) errors.push(required(field, 'must specify a peer'));
  else if (count > 1 && ipBlock !== undefined) errors.push(forbidden(field, 'may not specify both ipBlock and another peer'));
  return errors;
}

/** Source: ValidateIPBlock. */
function validateIpBlock({ cidr = '', except }: IPBlock, field: string, known: ReadonlySet<string>): FieldError[] {
  if (cidr === '') return [required(`${field}.cidr`)];
  const wrong = (path: string, text: string): FieldError[] =>
    known.has(text) ? [] : isCidrForLegacyField(text).map((reason) => invalid(path, text, reason));
  const errors = wrong(`${field}.cidr`, cidr);
  if (parseCidr(cidr) === undefined) return errors;
  const range = parseRange(cidr);
  return [
    ...errors,
    ...each(`${field}.except`, except, (text, path) => {
      const reasons = wrong(path, text);
      if (parseCidr(text) === undefined) return reasons;
      const inner = parseRange(text);
      const within = range.offsetOf(inner.at(0n)) !== undefined && inner.prefixLength > range.prefixLength;
      return within ? reasons : [...reasons, invalid(path, text, 'must be a strict subset of `cidr`')];
    }),
  ];
}
