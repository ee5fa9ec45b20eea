import { StatusError } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import type { CredentialSource } from '../http/credential.ts';
import type { ExecConfig } from './exec-config.ts';
import { type PluginAnswer, type PluginHost, runPlugin } from './exec-plugin.ts';

/**
 * A plugin's credentials, kept in memory until they expire or the server refuses them. However many requests want them, the plugin runs
 * once at a time, and not again for a refusal of credentials that were replaced meanwhile.
 * @param run - @default {@link runPlugin}
 */
export function newExecCredentials(config: ExecConfig, host: PluginHost, clock: Clock, run = runPlugin): CredentialSource {
  let current: PluginAnswer | undefined;
  let running: Promise<PluginAnswer> | undefined;
  const usable = ({ credential, expiresMs }: PluginAnswer, rejected: unknown): boolean =>
    credential !== rejected && (expiresMs === undefined || clock.now() <= expiresMs);

  return async ({ rejected }) => {
    if (current !== undefined && usable(current, rejected)) return current.credential;
    running ??= run(config, host).finally(() => {
      running = undefined;
    });
    try {
      current = await running;
    } catch (cause) {
      throw new StatusError('Unauthorized', `getting credentials: ${cause instanceof Error ? cause.message : String(cause)}`, undefined, {
        cause,
      });
    }
    return current.credential;
  };
}
