import type { ProtobufCodec } from '@orrery/apimachinery';
import type { Clock, Random } from '@orrery/base';
import type { HealthCheck, Logger, MetricsRegistry } from '@orrery/component';
import type { Authenticator } from '../authentication/authenticator.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { ResourceHandler } from '../handler.ts';
import type { DocumentEndpoint } from './documents.ts';
import type { HttpLimits } from './limits.ts';
import type { Connector } from './proxy/connector.ts';
import type { TargetAgents } from './proxy/target-request.ts';
import type { RequestMetrics } from './request-metrics.ts';

/** `GET /version`. Numbers are plain, as clients parse them. */
export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

/** What the parts of one server share. Immutable. */
export interface ServerContext {
  readonly handler: ResourceHandler;
  readonly authenticators: readonly Authenticator[];
  readonly authorizer: Authorizer;
  /** Paths at which requests without credentials are `system:anonymous`, beside health and version; the authorizer still decides. */
  readonly anonymousPaths: ReadonlySet<string>;
  readonly connectors: readonly Connector[];
  readonly agents: TargetAgents;
  readonly documents: readonly DocumentEndpoint[];
  readonly healthChecks: readonly HealthCheck[];
  readonly version: VersionInfo;
  /** Its tables are loaded when the first client asks for protobuf. */
  readonly protobuf: () => ProtobufCodec;
  readonly limits: HttpLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly registry: MetricsRegistry;
  readonly metrics: RequestMetrics;
}
