import type { NodeCondition } from '@orrery/api/core/v1';
import { formatTime } from '@orrery/apimachinery';
import type { PressureType } from '../eviction/thresholds.ts';

export interface NodeHealth {
  readonly pressures: ReadonlySet<PressureType>;
  /** Why the node cannot run pods; empty when it can. */
  readonly problems: readonly string[];
}

type Verdict = Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>;

const pressure = (type: string, under: boolean, good: readonly [string, string], bad: readonly [string, string]): Verdict => {
  const [reason, message] = under ? bad : good;
  return { type, status: under ? 'True' : 'False', reason, message };
};

function verdicts({ pressures, problems }: NodeHealth): readonly Verdict[] {
  return [
    pressure(
      'MemoryPressure',
      pressures.has('MemoryPressure'),
      ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
      ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
    ),
    pressure(
      'DiskPressure',
      pressures.has('DiskPressure'),
      ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
      ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
    ),
    pressure(
      'PIDPressure',
      pressures.has('PIDPressure'),
      ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
      ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
    ),
    problems.length === 0
      ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : {
          type: 'Ready',
          status: 'False',
          reason: 'KubeletNotReady',
          message: problems.length === 1 ? `${problems[0]}` : `[${problems.join(', ')}]`,
        },
  ];
}

/** The kubelet's node conditions; transition times are kept where the status is the same. Source: kubelet nodestatus setters. */
export function nodeConditions(health: NodeHealth, previous: readonly NodeCondition[], nowMs: number): readonly NodeCondition[] {
  const now = formatTime(nowMs);
  return verdicts(health).map((verdict) => {
    const old = previous.find(({ type }) => type === verdict.type);
    const since = old?.status === verdict.status ? (old.lastTransitionTime ?? now) : now;
    return { ...verdict, lastHeartbeatTime: now, lastTransitionTime: since };
  });
}

/** The event that a change of condition makes; `undefined` for none. */
export function conditionEvent(condition: NodeCondition): string | undefined {
  const bad = condition.status === 'True';
  switch (condition.type) {
    case 'MemoryPressure':
      return bad ? 'NodeHasInsufficientMemory' : 'NodeHasSufficientMemory';
    case 'DiskPressure':
      return bad ? 'NodeHasDiskPressure' : 'NodeHasNoDiskPressure';
    case 'PIDPressure':
      return bad ? 'NodeHasInsufficientPID' : 'NodeHasSufficientPID';
    case 'Ready':
      return bad ? 'NodeReady' : 'NodeNotReady';
    default:
      return undefined;
  }
}
