// Writes every generated file: `npm run generate`. Output is a build product and is never committed.

import { generateCri } from './cri.ts';
import { generateDashboardPage } from './dashboard-page.ts';
import { generateDescriptions } from './descriptions.ts';
import { generateTables } from './tables.ts';
import { generateTypes } from './types.ts';

await generateTypes();
await generateCri();
await generateTables();
await generateDescriptions();
await generateDashboardPage();
