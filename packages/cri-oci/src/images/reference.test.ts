import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatReference, parseReference } from './reference.ts';

const hex = 'a'.repeat(64);

describe('parseReference', () => {
  test.each([
    ['busybox', 'docker.io/library/busybox:latest'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36'],
    ['docker.io/busybox', 'docker.io/library/busybox:latest'],
    ['index.docker.io/busybox', 'docker.io/library/busybox:latest'],
    ['org/app', 'docker.io/org/app:latest'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/app:v1', 'localhost:5000/app:v1'],
    ['127.0.0.1:5000/a/b/c', '127.0.0.1:5000/a/b/c:latest'],
    ['[::1]:5000/app', '[::1]:5000/app:latest'],
    ['ghcr.io/org/app-x__y.z:Tag_1.0-rc', 'ghcr.io/org/app-x__y.z:Tag_1.0-rc'],
    [`app@sha256:${hex}`, `docker.io/library/app@sha256:${hex}`],
    [`app:1@sha256:${hex}`, `docker.io/library/app@sha256:${hex}`],
  ])('%s is %s', (text, full) => {
    expect(formatReference(parseReference(text))).toBe(full);
  });

  test.each([
    ['', 'invalid reference format'],
    ['App', 'must be lowercase'],
    ['a//b', 'invalid reference format'],
    ['/a', 'invalid reference format'],
    ['a:', 'invalid tag format'],
    ['a:b c', 'invalid tag format'],
    ['a@sha256:12', 'invalid checksum digest'],
    ['a@md5:12', 'invalid checksum digest'],
    ['http://a/b', 'invalid reference format'],
    ['a/../b', 'invalid reference format'],
    [`${'a'.repeat(300)}`, 'must not be more than 255'],
  ])('refuses %j: %s', (text, why) => {
    expect(() => parseReference(text)).toThrow(why);
  });

  test('what is parsed parses again to the same', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,4})?$/);
    const name = fc.tuple(
      fc.option(fc.constantFrom('r.io/', 'h:5000/', 'localhost/')),
      fc.array(part, { minLength: 1, maxLength: 4 }),
      fc.option(part),
    );
    fc.assert(
      fc.property(name, ([registry, path, tag]) => {
        const first = parseReference(`${registry ?? ''}${path.join('/')}${tag === null ? '' : `:${tag}`}`);
        expect(parseReference(formatReference(first))).toEqual(first);
      }),
    );
  });

  test('never fails other than by a refusal', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseReference(text);
        } catch (err) {
          expect(err).toMatchObject({ code: 'INVALID_ARGUMENT' });
        }
      }),
    );
  });
});
