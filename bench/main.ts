// Prints the numbers to reach, measured on this machine: `npm run bench`.
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { bundleChild } from './bundle.ts';
import type { Line, Samples } from './line.ts';
import { lines } from './lines.ts';
import { type LineReport, reportOf, textOf } from './report.ts';
import { type RunOptions, runLine } from './run-line.ts';

const help = `npm run bench -- [--only <name>,<name>] [--quick] [--json] [--profile <directory>]

Measures Orrery on this machine. Every run is a process of its own; nothing is left behind.
Run "npm run bundle" before: lines that start a cluster start the bundle.

  --only <names>  these lines only, separated by commas
  --quick         fewer runs and smaller rounds
  --json          machine-readable
  --profile <dir> write CPU profiles of the measured processes there (for the inspector of a browser); figures suffer
  --help          this text

Lines:
${lines.map(({ name, what }) => `  ${name.padEnd(18)} ${what}`).join('\n')}
`;

async function measureLine(line: Line, options: RunOptions): Promise<LineReport> {
  const runs: Samples[] = [];
  const failures: string[] = [];
  for (let run = 0; run < (options.quick ? line.runs.quick : line.runs.full); run += 1) {
    const outcome = await runLine(line, options);
    if ('samples' in outcome) runs.push(outcome.samples);
    else failures.push(outcome.failure);
  }
  return reportOf(line, runs, failures);
}

function chosenLines(only: string | undefined): readonly Line[] {
  if (only === undefined) return lines;
  return only.split(',').map((name) => {
    const line = lines.find((candidate) => candidate.name === name);
    if (line === undefined) throw new Error(`no line "${name}"; there are ${lines.map((one) => one.name).join(', ')}`);
    return line;
  });
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(help);
} else {
  const chosen = chosenLines(values.only);
  const [cpu] = cpus();
  const machine = { cpu: cpu?.model ?? 'unknown', cores: cpus().length, node: process.version, load: loadavg()[0] ?? 0 };
  await using child = await bundleChild();
  if (!values.json) process.stdout.write(`${machine.cores} × ${machine.cpu}, Node ${machine.node}, load ${machine.load.toFixed(2)}\n\n`);
  const reports: LineReport[] = [];
  for (const line of chosen) {
    const report = await measureLine(line, { quick: values.quick, script: child.file, profileDirectory: values.profile });
    reports.push(report);
    if (!values.json) process.stdout.write(`${textOf(report)}\n`);
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ machine, quick: values.quick, lines: reports }, null, 2)}\n`);
  if (reports.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
}
