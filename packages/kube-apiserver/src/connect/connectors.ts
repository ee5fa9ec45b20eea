import type { Connector } from '@orrery/apiserver';
import type { Random } from '@orrery/base';
import type { ConnectContext } from './node-connection.ts';
import { nodeConnector } from './node-connector.ts';
import { podConnectors } from './pod-connectors.ts';
import { serviceConnector } from './service-connector.ts';

/** Every subresource that passes a request on to something that runs in the cluster. */
export function newConnectors(context: ConnectContext, random: Random): readonly Connector[] {
  return [...podConnectors(context), nodeConnector(context), serviceConnector(context, random)];
}
