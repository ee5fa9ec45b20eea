import type { Container, LifecycleHandler, Pod } from '@orrery/api/core/v1';
import type { Clock } from '@orrery/base';
import type { Runtime } from '@orrery/cri';
import { formatPod } from '../pod/container-spec.ts';
import { httpGet, httpTarget } from '../probe/http.ts';
import { messageOf } from './errors.ts';

export interface HookTarget {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

/** Runs a postStart or preStop handler to its end. Source: lifecycle.handlerRunner. */
export interface HookRunner {
  /** @throws {Error} worded for the container's waiting state. */
  run(handler: LifecycleHandler, target: HookTarget, signal: AbortSignal): Promise<void>;
}

const USER_AGENT = 'kube-lifecycle/1.36';
const HTTP_ERROR = 400;

export function newHookRunner(runtime: Runtime, clock: Clock): HookRunner {
  async function exec(command: readonly string[], { pod, container, containerId }: HookTarget, signal: AbortSignal): Promise<void> {
    const text = `Exec lifecycle hook ([${command.join(' ')}]) for Container "${container.name}" in Pod "${formatPod(pod)}" failed`;
    const {
      exitCode = 0,
      stdout,
      stderr,
    } = await runtime
      .execSync({ containerId, cmd: command, timeout: 0 }, signal)
      .catch((cause: unknown) => Promise.reject(new Error(`${text} - error: ${messageOf(cause)}, message: ""`, { cause })));
    if (exitCode === 0) return;
    const output = Buffer.concat([stdout ?? Buffer.alloc(0), stderr ?? Buffer.alloc(0)]).toString();
    throw new Error(
      `${text} - error: command '${command.join(' ')}' exited with ${exitCode}: ${output}, message: ${JSON.stringify(output)}`,
    );
  }

  async function get(action: NonNullable<LifecycleHandler['httpGet']>, target: HookTarget, signal: AbortSignal): Promise<void> {
    const where = `HTTP lifecycle hook (${action.path ?? ''}) for Container "${target.container.name}" in Pod "${formatPod(target.pod)}" failed`;
    try {
      const { status, body } = await httpGet(httpTarget(action, target.container, target.podIp, USER_AGENT), signal);
      if (status >= HTTP_ERROR) throw new Error(`HTTP status ${status}: ${body}`);
    } catch (cause) {
      throw new Error(`${where} - error: ${messageOf(cause)}, message: ""`, { cause });
    }
  }

  return {
    async run(handler, target, signal) {
      if (handler.exec !== undefined) await exec(handler.exec.command ?? [], target, signal);
      else if (handler.httpGet !== undefined) await get(handler.httpGet, target, signal);
      else if (handler.sleep !== undefined) await clock.sleep(handler.sleep.seconds * 1000, signal);
      else throw new Error('invalid handler: no handler specified');
    },
  };
}
