import { type FieldError, forbidden, notSupported, required } from '@orrery/apimachinery';

/** What pods may do with a volume at once, with the short names of tables. */
export const accessModes: Readonly<Record<string, string>> = {
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOnce: 'RWO',
  ReadWriteOncePod: 'RWOP',
};
const volumeModes = ['Block', 'Filesystem'];
const shownOrder = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'];

/** Source: helper.GetAccessModesAsString. */
export const shownAccessModes = (modes: readonly string[] | undefined): string =>
  shownOrder
    .filter((mode) => modes?.includes(mode))
    .map((mode) => accessModes[mode] ?? mode)
    .join(',');

/** @param empty - What is said where there is none. */
export function validateAccessModes(modes: readonly string[] | undefined, field: string, empty: string): FieldError[] {
  if ((modes ?? []).length === 0) return [required(field, empty)];
  const unknown = (modes ?? []).filter((mode) => !(mode in accessModes));
  const alone = modes?.includes('ReadWriteOncePod') && modes.some((mode) => mode !== 'ReadWriteOncePod' && mode in accessModes);
  return [
    ...unknown.map((mode) => notSupported(field, mode, Object.keys(accessModes))),
    ...(alone ? [forbidden(field, 'may not use ReadWriteOncePod with other access modes')] : []),
  ];
}

export const validateVolumeMode = (mode: string | undefined, field: string): FieldError[] =>
  mode !== undefined && !volumeModes.includes(mode) ? [notSupported(field, mode, volumeModes)] : [];
