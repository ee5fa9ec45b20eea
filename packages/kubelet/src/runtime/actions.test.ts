import type { Container, Pod, PodSpec } from '@orrery/api/core/v1';
import { describe, expect, test } from 'vitest';
import { containerHash } from '../pod/container-spec.ts';
import { computePodActions, type PodActions, type ProbeVerdict } from './actions.ts';
import { emptyPodState, type InstancePhase, type PodState } from './pod-state.ts';

const makeContainer = (name: string, extra: Partial<Container> = {}): Container => ({ name, image: 'i', ...extra });
const sidecar = (name: string, extra: Partial<Container> = {}): Container => makeContainer(name, { restartPolicy: 'Always', ...extra });

function makePod(spec: Partial<PodSpec> = {}, metadata: object = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'd', uid: 'u', resourceVersion: '1', creationTimestamp: '', ...metadata },
    spec: { containers: [makeContainer('a'), makeContainer('b')], restartPolicy: 'Always', ...spec },
    status: {},
  };
}

interface Run {
  readonly name: string;
  readonly phase: InstancePhase;
  readonly exitCode?: number;
  readonly hash?: string;
}

function makeState(runs: readonly Run[], sandbox: 'SANDBOX_READY' | 'SANDBOX_NOTREADY' | 'none' = 'SANDBOX_READY'): PodState {
  const containers = runs.map(({ name, phase, exitCode = 0, hash = '' }, index) => ({
    id: `${name}-id`,
    name,
    phase,
    exitCode,
    hash,
    createdAtMs: 100 - index,
    startedAtMs: 0,
    finishedAtMs: 0,
    reason: '',
    message: '',
    image: 'i',
    imageId: 'i',
    restartCount: 0,
    logPath: '',
    cri: {},
  }));
  if (sandbox === 'none') return { ...emptyPodState('u'), containers };
  const status = { id: 's', state: sandbox, metadata: { attempt: 0 }, network: { ip: '10.0.0.1' } };
  return { uid: 'u', sandboxes: [status], containers, ips: ['10.0.0.1'] };
}

const running = (name: string): Run => ({ name, phase: 'running' });
const exited = (name: string, exitCode: number): Run => ({ name, phase: 'exited', exitCode });

interface Case {
  readonly name: string;
  readonly spec?: Partial<PodSpec>;
  readonly metadata?: object;
  readonly runs: readonly Run[];
  readonly sandbox?: 'SANDBOX_READY' | 'SANDBOX_NOTREADY' | 'none';
  readonly liveness?: Readonly<Record<string, ProbeVerdict>>;
  readonly startup?: Readonly<Record<string, ProbeVerdict>>;
  readonly want: Partial<Pick<PodActions, 'killPod' | 'createSandbox' | 'startInit' | 'start' | 'startEphemeral' | 'attempt'>> & {
    readonly kill?: readonly string[];
  };
}

const initSpec = { initContainers: [makeContainer('i1'), makeContainer('i2')] };
const sidecarSpec = { initContainers: [makeContainer('i1'), sidecar('s', { startupProbe: {} }), makeContainer('i2')] };

describe('computePodActions', () => {
  const cases: readonly Case[] = [
    { name: 'a new pod', runs: [], sandbox: 'none', want: { createSandbox: true, start: [0, 1], attempt: 0 } },
    {
      name: 'a new pod with init containers',
      spec: initSpec,
      runs: [],
      sandbox: 'none',
      want: { createSandbox: true, startInit: [0], start: [] },
    },
    { name: 'all run', runs: [running('a'), running('b')], want: { killPod: false, start: [], kill: [] } },
    { name: 'one has ended, Always', runs: [running('a'), exited('b', 0)], want: { start: [1] } },
    { name: 'one ended well, OnFailure', spec: { restartPolicy: 'OnFailure' }, runs: [running('a'), exited('b', 0)], want: { start: [] } },
    { name: 'one failed, OnFailure', spec: { restartPolicy: 'OnFailure' }, runs: [running('a'), exited('b', 1)], want: { start: [1] } },
    {
      name: 'one failed, Never',
      spec: { restartPolicy: 'Never' },
      runs: [running('a'), exited('b', 1)],
      want: { start: [], killPod: false },
    },
    {
      name: 'all ended, Never',
      spec: { restartPolicy: 'Never' },
      runs: [exited('a', 0), exited('b', 1)],
      want: { start: [], killPod: true },
    },
    {
      name: 'a rule restarts this exit code in spite of Never',
      spec: {
        restartPolicy: 'Never',
        containers: [
          makeContainer('a', {
            restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
            restartPolicy: 'Never',
          }),
          makeContainer('b'),
        ],
      },
      runs: [exited('a', 42), running('b')],
      want: { start: [0] },
    },
    {
      name: 'the image has changed',
      spec: { restartPolicy: 'Never' },
      runs: [
        { name: 'a', phase: 'running', hash: 'old' },
        { name: 'b', phase: 'running', hash: containerHash(makeContainer('b')) },
      ],
      want: { kill: ['Container a definition changed, will be restarted'], start: [0] },
    },
    {
      name: 'liveness failed',
      runs: [running('a'), running('b')],
      liveness: { 'a-id': 'failure' },
      want: { kill: ['Container a failed liveness probe, will be restarted'], start: [0] },
    },
    {
      name: 'liveness failed, Never',
      spec: { restartPolicy: 'Never' },
      runs: [running('a'), running('b')],
      liveness: { 'a-id': 'failure' },
      want: { kill: ['Container a failed liveness probe'], start: [] },
    },
    {
      name: 'startup failed',
      runs: [running('a'), running('b')],
      startup: { 'b-id': 'failure' },
      want: { kill: ['Container b failed startup probe, will be restarted'] },
    },
    {
      name: 'lost sight of one',
      runs: [{ name: 'a', phase: 'unknown' }, running('b')],
      want: { kill: ['Container is in "unknown" state, try killing it before restart'], start: [0] },
    },
    {
      name: 'the sandbox died',
      runs: [exited('a', 0), exited('b', 0)],
      sandbox: 'SANDBOX_NOTREADY',
      want: { killPod: true, createSandbox: true, start: [0, 1], attempt: 1 },
    },
    {
      name: 'the sandbox died, Never',
      spec: { restartPolicy: 'Never' },
      runs: [exited('a', 0), exited('b', 0)],
      sandbox: 'SANDBOX_NOTREADY',
      want: { killPod: true, createSandbox: false },
    },
    {
      name: 'being deleted',
      metadata: { deletionTimestamp: 'x' },
      runs: [exited('a', 0), exited('b', 0)],
      want: { start: [], killPod: true },
    },
    { name: 'first init container runs', spec: initSpec, runs: [running('i1')], want: { startInit: [], start: [] } },
    { name: 'first init container ended well', spec: initSpec, runs: [exited('i1', 0)], want: { startInit: [1], start: [] } },
    { name: 'init container failed, Always', spec: initSpec, runs: [exited('i1', 1)], want: { startInit: [0], start: [] } },
    {
      name: 'init container failed, Never',
      spec: { ...initSpec, restartPolicy: 'Never' },
      runs: [exited('i1', 1)],
      want: { startInit: [], killPod: true },
    },
    { name: 'initialized', spec: initSpec, runs: [exited('i1', 0), exited('i2', 0)], want: { startInit: [], start: [0, 1] } },
    {
      name: 'initialized long ago, init runs removed',
      spec: initSpec,
      runs: [running('a'), exited('b', 1)],
      want: { startInit: [], start: [1] },
    },
    { name: 'sidecar not started yet', spec: sidecarSpec, runs: [exited('i1', 0), running('s')], want: { startInit: [], start: [] } },
    {
      name: 'sidecar started',
      spec: sidecarSpec,
      runs: [exited('i1', 0), running('s')],
      startup: { 's-id': 'success' },
      want: { startInit: [2], start: [] },
    },
    {
      name: 'sidecar failed its startup probe',
      spec: sidecarSpec,
      runs: [exited('i1', 0), running('s')],
      startup: { 's-id': 'failure' },
      want: { kill: ['Init container s failed startup probe'], startInit: [1] },
    },
    {
      name: 'sidecar ended while the pod runs',
      spec: sidecarSpec,
      runs: [exited('i1', 0), exited('s', 1), exited('i2', 0), running('a'), running('b')],
      want: { startInit: [1], start: [], killPod: false },
    },
    {
      name: 'sidecars do not keep a finished pod',
      spec: { ...sidecarSpec, restartPolicy: 'Never' },
      runs: [exited('i1', 0), running('s'), exited('i2', 0), exited('a', 0), exited('b', 0)],
      startup: { 's-id': 'success' },
      want: { startInit: [], start: [], killPod: true },
    },
    {
      name: 'an ephemeral container was added',
      spec: { ephemeralContainers: [{ name: 'e', image: 'i' }] },
      runs: [running('a'), running('b')],
      want: { startEphemeral: [0], start: [] },
    },
    {
      name: 'ephemeral containers never restart',
      spec: { ephemeralContainers: [{ name: 'e', image: 'i' }] },
      runs: [running('a'), running('b'), exited('e', 1)],
      want: { startEphemeral: [] },
    },
  ];
  for (const { name, spec, metadata, runs, sandbox, liveness = {}, startup = {}, want } of cases) {
    test(name, () => {
      const verdicts = { liveness: (id: string) => liveness[id], startup: (id: string) => startup[id] };
      const got = computePodActions(makePod(spec, metadata), makeState(runs, sandbox), verdicts);
      const { kill, ...rest } = want;
      expect(got).toMatchObject(rest);
      if (kill !== undefined) expect(got.kill.map(({ message }) => message)).toEqual(kill);
    });
  }
});
