/** A file of a volume whose content comes from the API. */
export interface PayloadFile {
  readonly data: Buffer;
  /** Permission bits. */
  readonly mode: number;
  /** Owner, where the token of a single-user pod must be readable by that user alone. */
  readonly uid?: number | undefined;
}

/** Files by path relative to the volume. */
export type Payload = ReadonlyMap<string, PayloadFile>;

export interface PayloadItem {
  readonly key: string;
  readonly path: string;
  readonly mode?: number | undefined;
}

/**
 * The files of a ConfigMap or Secret: every key, or the chosen items.
 * @param missing - Words the failure for a chosen key that is not there.
 * @throws {Error} for such a key, unless `optional`.
 */
export function selectFiles(
  data: ReadonlyMap<string, Buffer>,
  items: readonly PayloadItem[] | undefined,
  {
    defaultMode,
    optional,
    missing,
  }: { readonly defaultMode: number; readonly optional: boolean; readonly missing: (key: string) => string },
): Payload {
  if (items === undefined || items.length === 0) return new Map([...data].map(([key, bytes]) => [key, { data: bytes, mode: defaultMode }]));
  const files = new Map<string, PayloadFile>();
  for (const { key, path, mode } of items) {
    const bytes = data.get(key);
    if (bytes !== undefined) files.set(path, { data: bytes, mode: mode ?? defaultMode });
    else if (!optional) throw new Error(missing(key));
  }
  return files;
}
