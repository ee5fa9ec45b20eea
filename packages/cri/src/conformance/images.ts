import { describe, expect, test } from 'vitest';
import type { RuntimeAbilities } from './abilities.ts';
import { type Kit, logLines } from './kit.ts';
import { registryLogin } from './registry.ts';

export function describeImages(kit: Kit, abilities: RuntimeAbilities): void {
  describe('images', () => {
    test('are pulled, listed, looked up, removed', async () => {
      const image = { image: kit.image };
      const { imageRef } = await kit.runtime.pullImage({ image });
      expect(imageRef).not.toBe('');
      expect((await kit.runtime.imageStatus({ image })).image?.id).toBe(imageRef);
      expect((await kit.runtime.listImages({})).images?.length).toBeGreaterThan(0);
      await kit.runtime.removeImage({ image });
      await kit.runtime.removeImage({ image });
      expect((await kit.runtime.imageStatus({ image })).image).toBeUndefined();
    });

    test('the file system that holds them has a size', async () => {
      await kit.runtime.pullImage({ image: { image: kit.image } });
      const [usage] = (await kit.runtime.imageFsInfo({})).imageFilesystems ?? [];
      expect(usage?.fsId?.mountpoint).toMatch(/^\//);
      expect(usage?.timestamp).toBeGreaterThan(0);
    });
  });
  if (abilities.images) describePulls(kit, abilities);
}

function describePulls(kit: Kit, abilities: RuntimeAbilities): void {
  const pull = async (reference: string) => (await kit.runtime.pullImage({ image: { image: reference } })).imageRef ?? '';
  const statusOf = async (reference: string) => (await kit.runtime.imageStatus({ image: { image: reference } })).image;
  const remove = (reference: string) => kit.runtime.removeImage({ image: { image: reference } });

  describe('pulled images', () => {
    test('by tag: the status has tag, digest and size', async () => {
      const reference = kit.imageNamed('one:1');
      const id = await pull(reference);
      const digest = kit.host.registry.images.get('orrery/one:1')?.digest ?? '';
      const status = await statusOf(reference);
      expect(status).toMatchObject({ id, repoTags: [reference], repoDigests: [`${kit.imageNamed('one')}@${digest}`] });
      expect(status?.size).toBeGreaterThan(0);
      expect((await statusOf(id))?.id).toBe(id);
      await remove(reference);
    });

    test('without a tag: latest', async () => {
      await pull(kit.imageNamed('two'));
      expect((await statusOf(kit.imageNamed('two:latest')))?.repoTags).toEqual([kit.imageNamed('two:latest')]);
      expect((await statusOf(kit.imageNamed('two')))?.id).toBeDefined();
      await remove(kit.imageNamed('two'));
    });

    test('by digest', async () => {
      const digest = kit.host.registry.images.get('orrery/one:1')?.digest ?? '';
      const reference = `${kit.imageNamed('one')}@${digest}`;
      const id = await pull(reference);
      expect((await statusOf(reference))?.id).toBe(id);
      const { containerId, log } = await kit.run([], { image: { image: reference } });
      await kit.exitOf(containerId);
      expect(await logLines(log)).toEqual(['stdout F one']);
      await kit.runtime.removeContainer({ containerId });
      await remove(id);
      expect(await statusOf(reference)).toBeUndefined();
    });

    test('that do not exist are an error, and leave nothing', async () => {
      const reference = kit.imageNamed('nothing:1');
      expect(await kit.codeOf(pull(reference))).toBe('NOT_FOUND');
      expect(await statusOf(reference)).toBeUndefined();
      await remove(reference);
    });

    test('are listed by name', async () => {
      const [one, two] = [kit.imageNamed('one:1'), kit.imageNamed('two:latest')];
      const ids = [await pull(one), await pull(two)];
      const listed = async (filter?: object) =>
        ((await kit.runtime.listImages(filter === undefined ? {} : { filter })).images ?? []).map(({ id }) => id);
      expect(await listed()).toEqual(expect.arrayContaining(ids));
      const filtered = await listed({ image: { image: one } });
      expect(filtered).toEqual(abilities.filtersImages ? ids.slice(0, 1) : expect.arrayContaining(ids.slice(0, 1)));
      await remove(one);
      await remove(two);
    });

    test('removing one leaves those that share its layers', async () => {
      const [one, two] = [kit.imageNamed('one:1'), kit.imageNamed('two:latest')];
      await pull(one);
      await pull(two);
      await remove(one);
      const { containerId, log } = await kit.run([], { image: { image: two } });
      await kit.exitOf(containerId);
      expect(await logLines(log)).toEqual(['stdout F two']);
      await kit.runtime.removeContainer({ containerId });
      await remove(two);
    });

    test('behind a login need it', async () => {
      const reference = kit.imageNamed('one:1').replace('/orrery/', '/private/');
      expect(await kit.codeOf(pull(reference))).not.toBe('no error');
      await kit.runtime.pullImage({ image: { image: reference }, auth: registryLogin });
      expect((await statusOf(reference))?.repoTags).toContain(reference);
      await remove(reference);
    });

    test('say how a container of them runs', async () => {
      const { containerId, log } = await kit.run([], { image: { image: kit.imageNamed('configured:1') } });
      await kit.exitOf(containerId);
      expect(await logLines(log)).toEqual(['stdout F argument green /tmp 1234:4321']);
      expect((await statusOf(kit.imageNamed('configured:1')))?.username).toBe('tester');
    });

    test('have arguments that a pod replaces', async () => {
      const { containerId, log } = await kit.run([], { image: { image: kit.imageNamed('configured:1') }, args: ['mine'] });
      await kit.exitOf(containerId);
      expect(await logLines(log)).toEqual(['stdout F mine green /tmp 1234:4321']);
    });

    test('choose the signal that stops their containers', async () => {
      const { containerId, log } = await kit.run([], { image: { image: kit.imageNamed('stop-signal:1') } });
      await kit.logged(log, 'ready');
      await kit.runtime.stopContainer({ containerId, timeout: 10 });
      expect((await kit.exitOf(containerId)).exitCode).toBe(42);
    });

    test('are not changed by what containers write', async () => {
      expect(await kit.output('echo written >/marker; cat /marker', { image: { image: kit.imageNamed('one:1') } })).toBe('written');
      expect(await kit.output('cat /marker', { image: { image: kit.imageNamed('one:1') } })).toBe('one');
    });
  });
}
