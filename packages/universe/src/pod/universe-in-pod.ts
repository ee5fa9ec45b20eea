/** What `@orrery/universe` is in a pod: the program is deployed already. */
export const universeInPod = `
const { UNIVERSE_TLS_CERT: cert, UNIVERSE_TLS_KEY: key } = process.env;
export const universe = async () => ({ where: 'pod', args: process.argv.slice(2), tls: cert && key ? { cert, key } : undefined });
`;
