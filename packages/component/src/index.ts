export * from './features/feature-gates.ts';
export * from './health/health.ts';
export * from './logging/logger.ts';
export * from './metrics/process-metrics.ts';
export * from './metrics/registry.ts';
