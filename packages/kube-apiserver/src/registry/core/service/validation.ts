import type { Service, ServicePort, ServiceSpec } from '@orrery/api/core/v1';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  isCidrForLegacyField,
  isDns1123Label,
  isDns1123Subdomain,
  isIpForLegacyField,
  isPortNumber,
  isQualifiedName,
  notSupported,
  required,
  validateLabels,
} from '@orrery/apimachinery';
import { specialAddressReason } from '../../addresses.ts';
import { check, each } from '../../validate.ts';
import { protocols } from '../endpoints/validation.ts';
import { oneOf } from '../pod-spec/validate-containers.ts';
import { validatePort } from '../pod-spec/validate-probes.ts';
import { validateClusterIps, validateClusterIpUpdate } from './cluster-ip-validation.ts';
import { isExternallyAccessible, isHeadless, needsHealthCheckPort } from './families.ts';

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
/** One day. */
const AFFINITY_SECONDS_MAX = 86_400;

/** Source: ValidateService. */
export function validateService(service: Service): FieldError[] {
  const { spec } = service;
  const ports = spec.ports ?? [];
  return [
    ...(ports.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName' ? [required('spec.ports')] : []),
    ...validateByType(spec),
    ...validatePorts(spec, ports),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...validateAffinity(spec),
    ...validateClusterIps(spec),
    ...each('spec.externalIPs', spec.externalIPs, validateExternalIp),
    ...oneOf(spec.type, types, 'spec.type'),
    ...validateDuplicatePorts(ports),
    ...validateSourceRanges(spec),
    ...validateLoadBalancerFields(spec),
    ...validateTraffic(spec),
  ];
}

function validateByType(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.type === 'LoadBalancer') {
    if (isHeadless(spec)) errors.push(invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for LoadBalancer services"));
  }
  if (spec.type === 'NodePort' && isHeadless(spec)) {
    errors.push(invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for NodePort services"));
  }
  if (spec.type === 'ExternalName') {
    if ((spec.clusterIPs ?? []).length > 0) {
      errors.push(forbidden('spec.clusterIPs', 'may not be set for ExternalName services'));
    }
    const name = spec.externalName ?? '';
    errors.push(
      ...(name === '' ? [required('spec.externalName')] : check('spec.externalName', name.replace(/\.$/, ''), isDns1123Subdomain)),
    );
  }
  return errors;
}

function validatePorts(spec: ServiceSpec, ports: readonly ServicePort[]): FieldError[] {
  const names = new Set<string>();
  const errors = each('spec.ports', ports, (port, path) => validateServicePort(port, ports.length > 1, names, path));
  if (spec.type !== 'ClusterIP') return errors;
  const reason = "may not be used when `type` is 'ClusterIP'";
  return [...errors, ...each('spec.ports', ports, ({ nodePort }, path) => (nodePort ? [forbidden(`${path}.nodePort`, reason)] : []))];
}

/** Source: validateServicePort. */
function validateServicePort(port: ServicePort, named: boolean, names: Set<string>, field: string): FieldError[] {
  const { name = '', protocol, targetPort, appProtocol } = port;
  const errors: FieldError[] = [];
  if (named && name === '') errors.push(required(`${field}.name`));
  else if (name !== '') {
    errors.push(...check(`${field}.name`, name, isDns1123Label));
    if (names.has(name)) errors.push(duplicate(`${field}.name`, name));
    names.add(name);
  }
  errors.push(...isPortNumber(port.port ?? 0).map((reason) => invalid(`${field}.port`, port.port ?? 0, reason)));
  errors.push(...oneOf(protocol, protocols, `${field}.protocol`), ...validatePort(targetPort, `${field}.targetPort`));
  if (appProtocol !== undefined) errors.push(...check(`${field}.appProtocol`, appProtocol, isQualifiedName));
  return errors;
}

function validateDuplicatePorts(ports: readonly ServicePort[]): FieldError[] {
  const errors: FieldError[] = [];
  const nodePorts = new Set<string>();
  const pairs = new Set<string>();
  for (const [index, { protocol, nodePort, port }] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    if (nodePort) {
      const id = `${protocol}/${nodePort}`;
      if (nodePorts.has(id)) errors.push(duplicate(`${path}.nodePort`, nodePort));
      nodePorts.add(id);
    }
    const id = `${protocol}/${port}`;
    if (pairs.has(id)) errors.push(duplicate(path, { protocol, port }));
    pairs.add(id);
  }
  return errors;
}

function validateAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): FieldError[] {
  const errors = oneOf(sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity');
  if (sessionAffinity === 'ClientIP') {
    const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
    const path = 'spec.sessionAffinityConfig.clientIP.timeoutSeconds';
    if (seconds === undefined) errors.push(required(path, 'when session affinity type is ClientIP'));
    else if (seconds <= 0 || seconds > AFFINITY_SECONDS_MAX) {
      errors.push(invalid(path, seconds, `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`));
    }
  } else if (sessionAffinity === 'None' && sessionAffinityConfig !== undefined) {
    errors.push(forbidden('spec.sessionAffinityConfig', 'must not be set when session affinity is None'));
  }
  return errors;
}

function validateExternalIp(ip: string, field: string): FieldError[] {
  const errors = check(field, ip, isIpForLegacyField);
  const reason = errors.length === 0 ? specialAddressReason(ip) : undefined;
  return reason === undefined ? errors : [invalid(field, ip, reason)];
}

function validateSourceRanges({ type, loadBalancerSourceRanges: ranges }: ServiceSpec): FieldError[] {
  if ((ranges ?? []).length === 0) return [];
  const field = 'spec.LoadBalancerSourceRanges';
  if (type !== 'LoadBalancer') return [forbidden(field, "may only be used when `type` is 'LoadBalancer'")];
  return each(field, ranges, (range, path) => check(path, range.trim(), isCidrForLegacyField));
}

function validateLoadBalancerFields({ type, allocateLoadBalancerNodePorts: allocate, loadBalancerClass }: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const only = "may only be used when `type` is 'LoadBalancer'";
  if (type === 'LoadBalancer' && allocate === undefined) errors.push(required('allocateLoadBalancerNodePorts'));
  if (type !== 'LoadBalancer' && allocate !== undefined) errors.push(forbidden('spec.allocateLoadBalancerNodePorts', only));
  if (loadBalancerClass !== undefined) {
    if (type !== 'LoadBalancer') errors.push(forbidden('spec.loadBalancerClass', only));
    errors.push(...check('spec.loadBalancerClass', loadBalancerClass, isQualifiedName));
  }
  return errors;
}

function validateTraffic(spec: ServiceSpec): FieldError[] {
  const { externalTrafficPolicy: external, internalTrafficPolicy: internal, healthCheckNodePort, trafficDistribution, type } = spec;
  const errors: FieldError[] = [];
  if (isExternallyAccessible(spec)) {
    if (external === undefined || external === '') errors.push(required('spec.externalTrafficPolicy'));
    else if (external !== 'Cluster' && external !== 'Local')
      errors.push(notSupported('spec.externalTrafficPolicy', external, ['Cluster', 'Local']));
  } else if (external !== undefined && external !== '') {
    errors.push(invalid('spec.externalTrafficPolicy', external, 'may only be set for externally-accessible services'));
  }
  if (healthCheckNodePort && !needsHealthCheckPort(spec)) {
    const reason = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(invalid('spec.healthCheckNodePort', healthCheckNodePort, reason));
  }
  if (internal === undefined) {
    if (type !== 'ExternalName') errors.push(required('spec.internalTrafficPolicy'));
  } else if (internal !== 'Cluster' && internal !== 'Local') {
    errors.push(notSupported('spec.internalTrafficPolicy', internal, ['Cluster', 'Local']));
  }
  const distributions = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];
  if (trafficDistribution !== undefined && !distributions.includes(trafficDistribution)) {
    errors.push(notSupported('spec.trafficDistribution', trafficDistribution, distributions));
  }
  return errors;
}

/** Source: ValidateServiceUpdate. */
export function validateServiceUpdate(next: Service, old: Service): FieldError[] {
  return [
    ...validateClusterIpUpdate(next.spec, old.spec),
    ...validateClassUpdate(next.spec, old.spec),
    ...validateHealthCheckUpdate(next.spec, old.spec),
    ...validateService(next),
  ];
}

function validateClassUpdate({ type, loadBalancerClass }: ServiceSpec, old: ServiceSpec): FieldError[] {
  if (type !== 'LoadBalancer' || old.type !== 'LoadBalancer' || loadBalancerClass === old.loadBalancerClass) return [];
  return [invalid('spec.loadBalancerClass', loadBalancerClass, 'may not change once set')];
}

function validateHealthCheckUpdate(next: ServiceSpec, old: ServiceSpec): FieldError[] {
  if (!needsHealthCheckPort(next) || !needsHealthCheckPort(old) || next.healthCheckNodePort === old.healthCheckNodePort) return [];
  return [forbidden('spec.healthCheckNodePort', 'field is immutable')];
}

/** Source: ValidateServiceStatusUpdate. */
export function validateServiceStatus({ spec, status }: Service): FieldError[] {
  const ingress = status?.loadBalancer?.ingress ?? [];
  const field = 'status.loadBalancer.ingress';
  if (ingress.length > 0 && spec.type !== 'LoadBalancer') {
    return [forbidden('status.loadBalancer.ingress', "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  return each(field, ingress, ({ ip, hostname, ipMode }, path) => [
    ...(ip ? check(`${path}.ip`, ip, isIpForLegacyField) : []),
    ...(ip && ipMode === undefined ? [required(`${path}.ipMode`, 'must be specified when `ip` is set')] : []),
    ...(!ip && ipMode !== undefined ? [forbidden(`${path}.ipMode`, 'may not be specified when `ip` is not set')] : []),
    ...(ipMode !== undefined && ipMode !== 'VIP' && ipMode !== 'Proxy' ? [notSupported(`${path}.ipMode`, ipMode, ['Proxy', 'VIP'])] : []),
    ...(hostname ? hostnameErrors(hostname, `${path}.hostname`) : []),
  ]);
}

function hostnameErrors(hostname: string, field: string): FieldError[] {
  const errors = check(field, hostname, isDns1123Subdomain);
  return isIpForLegacyField(hostname).length === 0
    ? [...errors, invalid(field, hostname, 'must be a DNS name, not an IP address')]
    : errors;
}
