interface Table {
  readonly texts: readonly string[];
  readonly types: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Texts about types and their fields. */
export interface Descriptions {
  /** @param field - Empty for the type itself. @returns undefined where there is no text. */
  describe(type: string, field: string): string | undefined;
}

let loaded: Descriptions | undefined; // Parsed once, never changed.

/** Loads the texts of all served types (about 0.5 MB): only OpenAPI needs them, so nothing else should ask. */
export async function loadDescriptions(): Promise<Descriptions> {
  if (loaded !== undefined) return loaded;
  const module = await import('./generated/tables/descriptions.ts');
  const { texts, types } = module.loadDescriptions() as Table;
  loaded = {
    describe(type, field) {
      const index = types[type]?.[field];
      return index === undefined ? undefined : texts[index];
    },
  };
  return loaded;
}
