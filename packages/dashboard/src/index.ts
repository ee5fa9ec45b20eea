export type { DashboardCluster } from './feed/cluster.ts';
export { type Dashboard, type DashboardOptions, openDashboard } from './open-dashboard.ts';
export { openInBrowser } from './open-in-browser.ts';
