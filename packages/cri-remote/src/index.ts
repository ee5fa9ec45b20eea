export { socketPath } from './endpoint.ts';
export { openRemoteRuntime, type RemoteRuntime, type RemoteRuntimeOptions } from './remote-runtime.ts';
