import type { RoleRef, Subject } from '@orrery/api/rbac/v1';
import type { KubeObject } from '@orrery/apimachinery';
import type { Column } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { subjectNames } from './validation.ts';

type Binding = KubeObject & { readonly roleRef: RoleRef; readonly subjects?: readonly Subject[] };

const subjectColumn = (name: string, kind: string): Column<Binding> => ({
  name,
  priority: 1,
  description: `${name} that the role is given to.`,
  cell: ({ subjects }) => subjectNames(subjects, kind),
});

/** Shared by role bindings and cluster role bindings. */
export const bindingColumns: readonly Column<Binding>[] = [
  nameColumn,
  { name: 'Role', description: 'What is given.', cell: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}` },
  ageColumn,
  subjectColumn('Users', 'User'),
  subjectColumn('Groups', 'Group'),
  subjectColumn('ServiceAccounts', 'ServiceAccount'),
];
