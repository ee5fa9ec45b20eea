import { spawn } from 'node:child_process';
import { isJsonObject, type Json, type JsonObject, parseRfc3339 } from '@orrery/apimachinery';
import { sealedStdio } from '@orrery/base';
import type { Credential } from '../http/credential.ts';
import type { ExecConfig } from './exec-config.ts';

/** What the process that runs a plugin gives to it. */
export interface PluginHost {
  /** Environment of this process. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether standard input is a terminal, so that a plugin can ask the user. */
  readonly terminal: boolean;
}

export interface PluginAnswer {
  readonly credential: Credential;
  /** Milliseconds since 1970; undefined when it holds until the server refuses it. */
  readonly expiresMs: number | undefined;
}

/** Far more than a token and two certificates. */
const OUTPUT_BYTES_MAX = 1024 * 1024;

/**
 * Runs a plugin once: arguments as they are, never through a shell; its errors go to our standard error, its standard input is the terminal
 * where it may ask. Source: client-go plugin/pkg/client/auth/exec.
 * @throws {Error} that names the program and, where it is missing, how to install it.
 */
export async function runPlugin(config: ExecConfig, host: PluginHost): Promise<PluginAnswer> {
  const { apiVersion, cluster, interactiveMode } = config;
  if (interactiveMode === 'Always' && !host.terminal)
    throw new Error('exec plugin cannot support interactive mode: standard input is not a terminal');
  const interactive = interactiveMode !== 'Never' && host.terminal;
  const info = { kind: 'ExecCredential', apiVersion, spec: { ...(cluster === undefined ? {} : { cluster }), interactive } };
  const env = { ...host.env, ...config.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  return answerOf(await outputOf(config, env, interactive), apiVersion);
}

function outputOf({ command, args, installHint }: ExecConfig, env: PluginHost['env'], interactive: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: sealedStdio([interactive ? 'inherit' : 'ignore', 'pipe', 'inherit']) });
    const chunks: Buffer[] = [];
    let received = 0;
    child.stdout?.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received <= OUTPUT_BYTES_MAX) chunks.push(chunk);
      else {
        child.kill('SIGKILL');
        reject(new Error(`exec: executable ${command} wrote more than ${OUTPUT_BYTES_MAX} bytes`));
      }
    });
    child.once('error', (cause: NodeJS.ErrnoException) => {
      const hint = installHint === undefined ? '' : `\n\n${installHint}`;
      const missing = cause.code === 'ENOENT';
      reject(new Error(missing ? `exec: executable ${command} not found${hint}` : `exec: ${cause.message}`, { cause }));
    });
    child.once('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(chunks).toString('utf8'));
      else reject(new Error(`exec: executable ${command} failed with ${signal === null ? `exit code ${code}` : `signal ${signal}`}`));
    });
  });
}

function answerOf(text: string, apiVersion: string): PluginAnswer {
  const answer = parsed(text);
  if (answer['kind'] !== 'ExecCredential')
    throw new Error(`decoding stdout: kind must be ExecCredential, not ${JSON.stringify(answer['kind'])}`);
  if (answer['apiVersion'] !== apiVersion)
    throw new Error(`exec plugin is configured to use API version ${apiVersion}, plugin returned version ${String(answer['apiVersion'])}`);
  const { status } = answer;
  if (!isJsonObject(status)) throw new Error("exec plugin didn't return a status field");
  const field = (name: string): string | undefined => textOf(status[name], name);
  const [token, cert, key] = [field('token'), field('clientCertificateData'), field('clientKeyData')];
  if (token === undefined && cert === undefined && key === undefined) throw new Error("exec plugin didn't return a token or cert/key pair");
  if ((cert === undefined) !== (key === undefined)) throw new Error('exec plugin returned only certificate or key, not both');
  const expires = field('expirationTimestamp');
  return {
    credential: {
      ...(token === undefined ? {} : { token }),
      ...(cert === undefined || key === undefined ? {} : { certificate: { cert, key } }),
    },
    expiresMs: expires === undefined ? undefined : millisecondsOf(expires),
  };
}

function parsed(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('decoding stdout: it is not JSON'); // Without the text: it may hold a secret.
  }
  if (!isJsonObject(value)) throw new Error('decoding stdout: it is not a JSON object');
  return value;
}

function textOf(value: Json | undefined, name: string): string | undefined {
  if (value !== undefined && value !== null && typeof value !== 'string')
    throw new Error(`decoding stdout: status.${name} must be a string`);
  return value ? value : undefined;
}

function millisecondsOf(text: string): number {
  const time = parseRfc3339(text, 'seconds');
  if (typeof time === 'string') throw new Error(`decoding stdout: status.expirationTimestamp ${JSON.stringify(text)} is no time`);
  return time.seconds * 1000;
}
