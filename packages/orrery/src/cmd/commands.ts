import type { Command } from '../cli/command.ts';
import { newCompletionCommand } from './completion.ts';
import { dashboardCommand } from './dashboard.ts';
import { downCommand } from './down.ts';
import { gcCommand } from './gc.ts';
import { imageCommand } from './image.ts';
import { kubeconfigCommand } from './kubeconfig.ts';
import { logsCommand } from './logs.ts';
import { newNodeCommand } from './node.ts';
import { psCommand } from './ps.ts';
import { resetCommand } from './reset.ts';
import { statusCommand } from './status.ts';
import { stopCommand } from './stop.ts';
import { tokenCommand } from './token.ts';
import { upCommand } from './up.ts';
import { versionCommand } from './version.ts';

/** Every verb, in the order of the help. The one line a new command adds. */
export const commands: readonly Command[] = [
  upCommand,
  downCommand,
  statusCommand,
  dashboardCommand,
  imageCommand,
  kubeconfigCommand,
  logsCommand,
  tokenCommand,
  newNodeCommand(async (...given) => (await import('../cluster/join-node.ts')).runNode(...given)),
  psCommand,
  stopCommand,
  gcCommand,
  resetCommand,
  versionCommand,
  newCompletionCommand(() => commands),
];
