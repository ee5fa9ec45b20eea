import { newMachine } from './machine.ts';
import { newNft } from './nft/nft.ts';
import { tableName } from './nft/nft-backend.ts';
import { unrouteServices } from './nft/service-routes.ts';

/**
 * Removes the tables and routes of one instance, also after its process was killed. Does nothing where there is nothing, or no nft.
 * @param netns - Where it worked, if not in this process's network.
 */
export async function cleanUpKubeProxy(instanceId: string, netns?: string): Promise<void> {
  const machine = newMachine(netns);
  const table = tableName(instanceId);
  let listed: string;
  try {
    listed = (await machine.run('nft', ['list', 'tables'])).stdout;
  } catch {
    return; // Not installed: nothing was ever made.
  }
  await unrouteServices(machine, instanceId);
  const own = listed.split('\n').filter((line) => line.trim() === `table ip ${table}` || line.trim() === `table ip6 ${table}`);
  await newNft(machine)(own.map((line) => `delete ${line.trim()}`));
}
