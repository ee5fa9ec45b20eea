import type { Service } from '@orrery/api/core/v1';
import type { EndpointSlice } from '@orrery/api/discovery/v1';
import { addressBytes, addressKey } from '../wire/address.ts';
import { isReadyEndpoint } from './endpoint-names.ts';
import { newServiceView, type ServiceView } from './service-view.ts';

/** Services with their endpoints, found by name and by address. Each change costs the size of what changed. */
export interface ServiceIndex {
  putService(service: Service): void;
  removeService(service: Service): void;
  putSlice(slice: EndpointSlice): void;
  removeSlice(slice: EndpointSlice): void;
  /** The records of a service, undefined when there is none of that name. */
  view(namespace: string, name: string): ServiceView | undefined;
  /** Names for an address (see `addressKey`): the service whose cluster address it is, else its endpoints that have hostnames. */
  namesOf(key: string): readonly string[];
}

interface Entry {
  service: Service | undefined;
  /** By name. */
  readonly slices: Map<string, EndpointSlice>;
  /** Undefined since the last change. */
  view: ServiceView | undefined;
}

/** Things under addresses, several under one. */
interface AddressMap {
  add(key: string, name: string): void;
  remove(key: string, name: string): void;
  get(key: string): readonly string[];
}

export function newServiceIndex(zone: string, ttl: number): ServiceIndex {
  const entries = new Map<string, Entry>();
  /** What was counted in `byClusterAddress` and `byEndpoint`, so that exactly that is taken out again. */
  const counted = new Map<string, readonly (readonly [key: string, name: string])[]>();
  const byClusterAddress = newAddressMap();
  const byEndpoint = newAddressMap();

  const change = (key: string, edit: (entry: Entry) => void): void => {
    const entry = entries.get(key) ?? { service: undefined, slices: new Map(), view: undefined };
    edit(entry);
    entry.view = undefined;
    if (entry.service === undefined && entry.slices.size === 0) entries.delete(key);
    else entries.set(key, entry);
  };
  const count = (id: string, map: AddressMap, pairs: readonly (readonly [string, string])[]): void => {
    for (const [key, name] of counted.get(id) ?? []) map.remove(key, name);
    for (const [key, name] of pairs) map.add(key, name);
    if (pairs.length === 0) counted.delete(id);
    else counted.set(id, pairs);
  };
  const putSlice = (slice: EndpointSlice, gone: boolean): void => {
    const key = serviceKeyOf(slice);
    if (key === undefined) return;
    const { name, namespace } = slice.metadata;
    change(key, ({ slices }) => {
      if (gone) slices.delete(name);
      else slices.set(name, slice);
    });
    count(`slice ${namespace}/${name}`, byEndpoint, gone ? [] : hostnamesOf(slice, key, zone));
  };
  const putService = (service: Service, gone: boolean): void => {
    const key = `${service.metadata.namespace}/${service.metadata.name}`;
    change(key, (entry) => {
      entry.service = gone ? undefined : service;
    });
    count(`service ${key}`, byClusterAddress, gone ? [] : clusterAddressesOf(service, zone));
  };

  return {
    putService: (service) => putService(service, false),
    removeService: (service) => putService(service, true),
    putSlice: (slice) => putSlice(slice, false),
    removeSlice: (slice) => putSlice(slice, true),
    view(namespace, name) {
      const entry = entries.get(`${namespace}/${name}`);
      if (entry?.service === undefined) return undefined;
      entry.view ??= newServiceView(entry.service, [...entry.slices.values()], zone, ttl);
      return entry.view;
    },
    namesOf(key) {
      const names = byClusterAddress.get(key);
      return names.length > 0 ? names.slice(0, 1) : byEndpoint.get(key);
    },
  };
}

/** Which service a slice belongs to: its label says so. */
export function serviceKeyOf({ metadata }: EndpointSlice): string | undefined {
  const service = metadata.labels?.['kubernetes.io/service-name'];
  return service === undefined || service === '' ? undefined : `${metadata.namespace}/${service}`;
}

function clusterAddressesOf(service: Service, zone: string): (readonly [string, string])[] {
  const { clusterIP = '', clusterIPs = [clusterIP] } = service.spec ?? {};
  const name = `${service.metadata.name}.${service.metadata.namespace}.svc.${zone}`;
  return clusterIPs.flatMap((address) => keyed(address, name));
}

/** Only endpoints that were given a hostname have a name for their address. */
function hostnamesOf(slice: EndpointSlice, serviceKey: string, zone: string): (readonly [string, string])[] {
  const [namespace, service] = serviceKey.split('/');
  return (slice.endpoints ?? []).flatMap((endpoint) => {
    const { hostname = '', addresses } = endpoint;
    if (hostname === '' || !isReadyEndpoint(endpoint)) return [];
    return addresses.flatMap((address) => keyed(address, `${hostname}.${service}.${namespace}.svc.${zone}`));
  });
}

function keyed(address: string, name: string): (readonly [string, string])[] {
  const bytes = addressBytes(address);
  return bytes === undefined ? [] : [[addressKey(bytes), name]];
}

function newAddressMap(): AddressMap {
  /** Counts, because two slices may say the same. */
  const names = new Map<string, Map<string, number>>();
  return {
    add(key, name) {
      const at = names.get(key) ?? new Map<string, number>();
      at.set(name, (at.get(name) ?? 0) + 1);
      names.set(key, at);
    },
    remove(key, name) {
      const at = names.get(key);
      const left = (at?.get(name) ?? 0) - 1;
      if (left > 0) at?.set(name, left);
      else at?.delete(name);
      if (at?.size === 0) names.delete(key);
    },
    get: (key) => [...(names.get(key)?.keys() ?? [])],
  };
}
