/** A platform as image indexes name it (`linux`, `amd64`, and for arm a variant such as `v7`). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', mipsel: 'mipsle', ppc64: 'ppc64le' };

/** The platform of this machine. Containers are Linux also where that is said by another name. */
export function hostPlatform(): Platform {
  const architecture = architectures[process.arch] ?? process.arch;
  if (architecture === 'arm') return { os: 'linux', architecture, variant: 'v7' };
  if (architecture === 'arm64') return { os: 'linux', architecture, variant: 'v8' };
  return { os: 'linux', architecture };
}

const armVersion = (variant: string | undefined): number => Number(variant?.replace(/^v/, '') ?? Number.NaN);

/** How well `candidate` runs on `host`: the higher the better, 0 when it does not. An older arm variant runs on a newer one. */
export function platformScore(host: Platform, candidate: Platform): number {
  if (candidate.os !== host.os) return 0;
  if (candidate.architecture === host.architecture) return sameArchitectureScore(host, candidate);
  const is32BitOn64Bit = host.architecture === 'arm64' && candidate.architecture === 'arm';
  return is32BitOn64Bit
    ? sameArchitectureScore({ ...host, variant: 'v8' }, { ...candidate, variant: candidate.variant ?? 'v7' }) / 1000
    : 0;
}

function sameArchitectureScore(host: Platform, candidate: Platform): number {
  if (!host.architecture.startsWith('arm'))
    return (candidate.variant ?? '') === (host.variant ?? '') ? 100 : amd64VariantScore(host, candidate);
  const implied = host.architecture === 'arm64' ? 'v8' : 'v7';
  const wanted = armVersion(host.variant ?? implied);
  const offered = armVersion(candidate.variant ?? implied);
  return offered <= wanted ? 100 - (wanted - offered) : 0;
}

/** `v2` to `v4` of amd64 need newer processors than an unnamed one; without a variant the image runs everywhere. */
function amd64VariantScore(host: Platform, candidate: Platform): number {
  if (candidate.variant === undefined || candidate.variant === '' || candidate.variant === 'v1') return 50;
  return host.variant !== undefined && armVersion(candidate.variant) <= armVersion(host.variant) ? 75 : 0;
}
