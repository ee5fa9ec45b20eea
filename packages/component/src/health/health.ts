/** One named condition of health. */
export interface HealthCheck {
  /** Part of a URL: `ping`, `etcd`, `poststarthook/rbac`. */
  readonly name: string;
  /** Throws, or rejects, with the reason when unhealthy. The reason goes to the log, never to the public endpoint. */
  check(): void | Promise<void>;
}

/** Always healthy: shows that requests are served. */
export const pingCheck: HealthCheck = { name: 'ping', check: () => undefined };

export interface HealthReport {
  readonly healthy: boolean;
  /** What the verbose form shows. Source: the `/readyz?verbose` text that operators and scripts read. */
  readonly text: string;
  /** Reasons of the failed checks, for the log. */
  readonly failures: readonly { readonly name: string; readonly error: unknown }[];
}

/**
 * Runs the checks one after another.
 *
 * @param endpoint - `healthz`, `livez` or `readyz`; ends the text.
 * @param exclude - Checks taken for healthy without being run.
 */
export async function runHealthChecks(endpoint: string, checks: readonly HealthCheck[], exclude: readonly string[]): Promise<HealthReport> {
  const unmatched = new Set(exclude);
  const failures: { name: string; error: unknown }[] = [];
  let text = '';
  for (const check of checks) {
    const { name } = check;
    if (exclude.includes(name)) {
      unmatched.delete(name);
      text += `[+]${name} excluded: ok\n`;
      continue;
    }
    const failure = await failureOf(check);
    if (failure === undefined) text += `[+]${name} ok\n`;
    else {
      failures.push({ name, error: failure.error });
      text += `[-]${name} failed: reason withheld\n`;
    }
  }
  if (unmatched.size > 0) {
    const names = [...unmatched].sort().map((name) => JSON.stringify(name));
    text += `warn: some health checks cannot be excluded: no matches for ${names.join(',')}\n`;
  }
  const healthy = failures.length === 0;
  return { healthy, failures, text: `${text}${endpoint} check ${healthy ? 'passed' : 'failed'}\n` };
}

async function failureOf(check: HealthCheck): Promise<{ readonly error: unknown } | undefined> {
  try {
    await check.check();
    return undefined;
  } catch (error) {
    return { error };
  }
}
