import { StorageError } from '../../store.ts';

// LMDB's MDB_MAP_FULL, and what Linux and macOS call a full disk, quota or file size limit.
const noSpaceCodes: ReadonlySet<unknown> = new Set([-30792, 28, 122, 69, 27, 'ENOSPC', 'EDQUOT', 'EFBIG']);

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const noSpace = (cause: unknown): StorageError =>
  new StorageError('NoSpace', `no space left on the disk: ${textOf(cause)}`, { cause });

export const isNoSpace = (error: unknown): boolean => noSpaceCodes.has(codeOf(error));

/** The only place where errors of LMDB and of the file system become the store's. What is not about space is damage. */
export function toStorageError(error: unknown, doing: string): StorageError {
  if (error instanceof StorageError) return error;
  if (isNoSpace(error)) return noSpace(error);
  return new StorageError('Corrupt', `failed while ${doing}: ${textOf(error)}`, { cause: error });
}

/** The error behind a commit that failed: LMDB's own is a promise on the one that callers get. */
export async function commitErrorOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    await error.commitError;
  } catch (cause) {
    return cause;
  }
  return error;
}
