import type { KubeletConfig } from '../config.ts';

/** The configuration as `/configz` tells it, in the form of KubeletConfiguration; what this kubelet does not know is left out. */
export function configz(config: KubeletConfig): object {
  const seconds = (ms: number): string => goSeconds(ms);
  const milliseconds = (by: Readonly<Record<string, number | undefined>>): Record<string, string> =>
    Object.fromEntries(Object.entries(by).flatMap(([key, ms]) => (ms === undefined ? [] : [[key, seconds(ms)]])));
  return {
    kubeletconfig: {
      kind: 'KubeletConfiguration',
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      authentication: { webhook: { enabled: true, cacheTTL: '2m0s' }, anonymous: { enabled: false } },
      authorization: { mode: 'Webhook', webhook: { cacheAuthorizedTTL: '5m0s', cacheUnauthorizedTTL: '30s' } },
      cgroupDriver: 'cgroupfs',
      clusterDomain: config.clusterDns.domain,
      clusterDNS: config.clusterDns.servers,
      containerLogMaxSize: `${config.logSizeBytesMax}`,
      containerLogMaxFiles: config.logFilesMax,
      evictionHard: config.evictionHard,
      evictionSoft: config.evictionSoft,
      evictionSoftGracePeriod: milliseconds(config.evictionSoftGraceMs),
      evictionMinimumReclaim: config.evictionMinimumReclaim,
      evictionPressureTransitionPeriod: seconds(config.evictionPressureTransitionMs),
      evictionMaxPodGracePeriod: config.evictionMaxPodGraceSeconds,
      imageGCHighThresholdPercent: config.imageGcHighThresholdPercent,
      imageGCLowThresholdPercent: config.imageGcLowThresholdPercent,
      maxPods: config.podsMax,
      nodeLeaseDurationSeconds: 40,
      nodeStatusReportFrequency: seconds(config.statusReportMs),
      nodeStatusUpdateFrequency: seconds(config.statusUpdateMs),
      podPidsLimit: config.podPidsLimit,
      registerNode: true,
      registerWithTaints: config.taints,
      resolvConf: config.resolvConf,
      allowedUnsafeSysctls: config.allowedUnsafeSysctls,
    },
  };
}

/** As Go writes durations: `1m30s`. */
function goSeconds(ms: number): string {
  const [hours, minutes, rest] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, (ms % 60_000) / 1000];
  if (hours > 0) return `${hours}h${minutes}m${rest}s`;
  return minutes > 0 ? `${minutes}m${rest}s` : `${rest}s`;
}
