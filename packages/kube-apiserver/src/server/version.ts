import type { VersionInfo } from '@orrery/apiserver';

/** `GET /version`: the Kubernetes release whose API is served; the part after `+` says by whom. */
export const versionInfo: VersionInfo = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.0+orrery',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
};
