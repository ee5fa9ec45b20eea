export { type ControllerContext, type ControllerManagerConfig, defaultConfig } from './context.ts';
export { type ControllerManager, type ControllerManagerOptions, newControllerManager } from './controller-manager.ts';
export { controllerDescriptors } from './descriptors.ts';
