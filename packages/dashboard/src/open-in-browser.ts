import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sealedStdio } from '@orrery/base';

/** The program that opens a file as the user's desktop wants it. */
const openers: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/**
 * Asks the desktop to show `url`. Where there is no desktop nothing happens: the address was printed too. Goes by way of a file that only
 * this user may read, because every user sees the arguments of processes.
 *
 * @returns how to remove the file.
 */
export async function openInBrowser(url: string): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'orrery-open-'));
  const page = join(folder, 'open.html');
  const html = `<!doctype html><meta http-equiv="refresh" content="0; url=${url}"><title>Orrery</title><a href="${url}">Open the page</a>\n`;
  await writeFile(page, html, { mode: 0o600 });
  const [file, ...args] = openers[process.platform] ?? ['xdg-open'];
  const child = spawn(file, [...args, page], { stdio: sealedStdio(['ignore', 'ignore', 'ignore']), detached: true });
  child.on('error', () => undefined);
  child.unref();
  return () => rm(folder, { recursive: true, force: true });
}
