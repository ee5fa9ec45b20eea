import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestImage, testImage } from '@orrery/cri-oci/testing';

/** Prints `name=address,…` for each argument, and `address=name` for an address; `name=!` where there is nothing. */
const source = `
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = 0;
    struct sockaddr_in in = {.sin_family = AF_INET};
    char text[1025];
    printf("%s=", argv[i]);
    if (inet_pton(AF_INET, argv[i], &in.sin_addr) == 1)
      printf("%s", getnameinfo((void *)&in, sizeof in, text, sizeof text, 0, 0, NI_NAMEREQD) ? "!" : text);
    else if (getaddrinfo(argv[i], 0, &hints, &found))
      printf("!");
    for (struct addrinfo *a = found; a; a = a->ai_next)
      printf("%s%s", a == found ? "" : ",", inet_ntop(a->ai_family, &((struct sockaddr_in *)a->ai_addr)->sin_addr, text, sizeof text));
    printf("\\n");
  }
}
`;

/** An image with `/lookup`, which resolves names as musl does: all name servers and address families at once, one answer wins. */
export function muslLookupImage(): TestImage {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-musl-'));
  try {
    writeFileSync(join(folder, 'lookup.c'), source);
    execFileSync('musl-gcc', ['-static', '-O1', '-o', 'lookup', 'lookup.c'], { cwd: folder });
    const directories = ['./', 'etc', 'proc', 'dev', 'sys', 'tmp'].map((name) => ({ name, type: 'directory' as const, mode: 0o755 }));
    return testImage([[...directories, { name: 'lookup', mode: 0o755, content: readFileSync(join(folder, 'lookup')) }]]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
