import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newLinkRewriter } from './rewrite-links.ts';

const below = '/api/v1/namespaces/a/pods/b/proxy';
const rewriter = () => newLinkRewriter(below, ['10.0.0.1:80', 'localhost:8001']);

describe('links', () => {
  const cases = [
    { name: 'from the root', link: '/x?y=1#z', want: `${below}/x?y=1#z` },
    { name: 'relative', link: 'x/y', want: 'x/y' },
    { name: 'query only', link: '?a', want: '?a' },
    { name: 'own host', link: 'http://10.0.0.1:80/x', want: `${below}/x` },
    { name: 'own host without a path', link: 'http://10.0.0.1:80', want: `${below}/` },
    { name: "the proxy's host", link: '//localhost:8001/x', want: `${below}/x` },
    { name: 'another host', link: 'https://example.com/x', want: 'https://example.com/x' },
    { name: 'already below', link: `${below}/x`, want: `${below}/x` },
    { name: 'other schemes', link: 'mailto:a@b', want: 'mailto:a@b' },
  ];
  for (const { name, link, want } of cases) test(name, () => expect(rewriter().link(link)).toBe(want));
});

describe('pages', () => {
  const cases = [
    { name: 'double quotes', html: '<a class=x href="/y">', want: `<a class=x href="${below}/y">` },
    { name: 'single quotes and spaces', html: "<IMG SRC = '/y' >", want: `<IMG SRC = '${below}/y' >` },
    { name: 'no quotes', html: '<script src=/y></script>', want: `<script src="${below}/y"></script>` },
    { name: 'other attributes and elements stay', html: '<p title="/y"><a data-href="/y">', want: '<p title="/y"><a data-href="/y">' },
    { name: 'text stays', html: 'href="/y" < 3', want: 'href="/y" < 3' },
  ];
  for (const { name, html, want } of cases) {
    test(name, () => {
      const page = rewriter();
      expect(page.html(html) + page.end()).toBe(want);
    });
  }

  test('cut anywhere, a page comes out the same', () => {
    const html = '<html><a href="/x">1 < 2</a><img src=\'/y\'><p>/z</p><link href=/w><a href="';
    const whole = rewriter();
    const want = whole.html(html) + whole.end();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: html.length }), fc.integer({ min: 0, max: html.length }), (a, b) => {
        const [first, second] = a < b ? [a, b] : [b, a];
        const page = rewriter();
        const got = [html.slice(0, first), html.slice(first, second), html.slice(second)].map((piece) => page.html(piece)).join('');
        expect(got + page.end()).toBe(want);
      }),
    );
  });
});
